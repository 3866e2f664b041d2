/** What is wrong with how the policies are written, whatever they let through: rules that hold of the text. */
import type { PolicyDocument, PolicyStatement } from '../../local/iam/policy.ts';
import { list } from '../proofs/model/lists.ts';

type Documents = ReadonlyMap<string, PolicyDocument>;

/** @param policies documents by name, as in `Stack.policies` */
export const structureProblems = (policies: Documents): string[] => [...wildcards(policies), ...brokenTwins(policies)];

/** A new action of a service is nobody's before somebody has written it down. */
function wildcards(policies: Documents): string[] {
  return [...policies].flatMap(([name, { Statement }]) =>
    /^(managed|inline) /.test(name)
      ? list(Statement).flatMap(({ Effect, Sid, Action, NotAction }) =>
          Effect === 'Allow' && (NotAction !== undefined || list(Action).some((action) => /[*?]/.test(action)))
            ? [`${name} ${Sid} does not name each action it grants`]
            : [],
        )
      : [],
  );
}

/** Each isolation rule stands in the roles' policy and in their boundary, and those about the use of keys in the pool's key's own policy, word for word. */
function brokenTwins(policies: Documents): string[] {
  const isolation = deniesOf(policies.get('managed TenantIsolation'));
  const keyUse = isolation.filter(isKeyUse).map(textOf);
  const problems =
    textsOf(deniesOf(policies.get('managed TenantBoundary'))) === textsOf(isolation)
      ? []
      : ['managed TenantBoundary has other Denies than managed TenantIsolation'];
  for (const [name, document] of policies) {
    if (!name.startsWith('key TenantKey')) continue;
    const denies = deniesOf(document).filter(isKeyUse);
    const forAll = denies.every(
      ({ Principal }) => Principal === '*' || (typeof Principal === 'object' && list(Principal['AWS']).join() === '*'),
    );
    if (!forAll || denies.map(textOf).join() !== keyUse.join())
      problems.push(`${name} has other Denies of the use of a key than managed TenantIsolation`);
  }
  return problems;
}

const deniesOf = (document: PolicyDocument | undefined): PolicyStatement[] =>
  list(document?.Statement).filter(({ Effect }) => Effect === 'Deny');
const isKeyUse = ({ Sid }: PolicyStatement): boolean => Sid?.startsWith('DenyKeyUse') === true;
const textOf = ({ Principal: _, ...statement }: PolicyStatement): string => JSON.stringify(Object.entries(statement).sort());
const textsOf = (statements: readonly PolicyStatement[]): string => statements.map(textOf).join();
