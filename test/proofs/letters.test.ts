import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tenantIdPattern } from '../../functions/shared/identifiers.ts';
import type { PolicyDocument } from '../../local/iam/policy.ts';
import { forTenant } from './model/dedicated.ts';
import { other, own, self } from './model/letters.ts';
import { list } from './model/lists.ts';
import { classesOf } from './model/names.ts';
import { roleArn, secretsOf } from './model/own.ts';
import { patternOf, type TextKind } from './model/patterns.ts';
import { someCaller } from './random.ts';
import { synthesizedStack } from './synthesized.ts';

const stack = await synthesizedStack();

interface Place {
  /** `resource`, or a condition key. */
  readonly name: string;
  readonly kind: TextKind;
  readonly text: string;
}

/** Every text that a policy compares with a name, and what the name is of. */
function placesOf(document: PolicyDocument): Place[] {
  return list(document.Statement).flatMap(({ Resource, NotResource, Condition }) => [
    ...list(Resource ?? NotResource).map((text): Place => ({ name: 'resource', kind: 'like', text })),
    ...Object.entries(Condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).flatMap(([key, values]): Place[] => {
        const kind = /Arn/.test(operator) ? 'arn' : /Like/.test(operator) ? 'like' : /String/.test(operator) ? 'exact' : undefined;
        return kind === undefined ? [] : [values].flat().map((value) => ({ name: key.toLowerCase(), kind, text: String(value) }));
      }),
    ),
  ]);
}

interface Ids {
  readonly tenant: string;
  readonly other: string;
  readonly user: string;
}

/** Where the letters, or IDs, are filled in. */
function placesFor({ tenant, other: neighbour }: Ids): Place[] {
  const documents = [...stack.policies.values()].flatMap((document) => [forTenant(document, tenant), forTenant(document, neighbour)]);
  const conclusions: Place[] = [
    { name: 'resource', kind: 'like', text: secretsOf(tenant) },
    { name: 'resource', kind: 'exact', text: roleArn(`TenantAgent-${tenant}`) },
    { name: 'dynamodb:leadingkeys', kind: 'like', text: `TENANT#${tenant}#*` },
  ];
  return [...documents.flatMap(placesOf), ...conclusions];
}

const lettersThemselves: Ids = { tenant: own, other, user: self };
/** Of the resources, those that hold a tenant: the others are compared with one another in every proof. */
const matters = placesFor(lettersThemselves).map(
  ({ name, text }) => name !== 'resource' || /\$\{/.test(text) || text.includes(own) || text.includes(other),
);

/** Per place, all the combinations of answers that any text gets there. */
function answersFor(ids: Ids): Map<string, Set<string>> {
  const known = new Map([
    ['aws:principaltag/tenantid', ids.tenant],
    ['aws:principaltag/userid', ids.user],
    ['aws:principalarn', roleArn('TenantReader')],
  ]);
  const places = new Map<string, Place[]>();
  for (const [index, place] of placesFor(ids).entries()) {
    if (matters[index] === true) places.set(place.name, [...(places.get(place.name) ?? []), place]);
  }
  return new Map(
    [...places].map(([name, those]) => {
      const patterns = those.flatMap(({ kind, text }) => patternOf(text, kind, { ...someCaller, known }) ?? []);
      return [name, new Set(classesOf(patterns).map(({ answers }) => answers.join()))];
    }),
  );
}

describe('I8 a tenant is a letter of its own', () => {
  it('stands between characters that no ID holds, in every policy', () => {
    for (const [name, document] of stack.policies) {
      for (const { text } of placesOf(document)) {
        for (const { 0: variable, index } of text.matchAll(/\$\{aws:PrincipalTag\/(?:TenantId|UserId)\}/g)) {
          const before = text[index - 1];
          const after = text[index + variable.length];
          // A role's name has a hyphen before the tenant, and the name's other part is the same for all.
          expect(
            before === undefined || /[^a-z0-9-]/.test(before) || text.slice(0, index).endsWith('/TenantAgent-'),
            `${name}: ${text}`,
          ).toBe(true);
          expect(after === undefined || /[^a-z0-9*?-]/.test(after), `${name}: ${text}`).toBe(true);
        }
      }
    }
  });

  // The parsing lemma. Which answers the patterns can give together is worked out for letters; were there an ID for which they could give others, a request with that ID would have
  // been left out of the proofs.
  const letters = answersFor(lettersThemselves);
  const within = (ids: Ids): void => {
    for (const [name, answers] of answersFor(ids)) {
      const known = letters.get(name);
      for (const one of answers) expect(known?.has(one), `${name} for ${JSON.stringify(ids)}`).toBe(true);
    }
  };
  const user = 'a'.repeat(26);

  it.each([
    ['acme', 'acme-2'],
    ['acme-2', 'acme'],
    ['a', 'aa'],
    ['aa', 'a'],
    ['cordon-x', 'cordon-x-cordon-x'],
    ['secret', 'role'],
    ['writer', 'reader'],
    ['tenantagent', 'tenantagent-tenantagent'],
    ['x1', '1x'],
  ])('gives the patterns no answers that letters do not give: %s beside %s', (tenant, neighbour) => {
    within({ tenant, other: neighbour, user });
  });

  it('gives them none for IDs at random', () => {
    const id = fc.stringMatching(tenantIdPattern);
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 2, maxLength: 2 }), ([tenant = 'acme', neighbour = 'globex']) => {
        within({ tenant, other: neighbour, user });
      }),
      { numRuns: 25 },
    );
  });
});
