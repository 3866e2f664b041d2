/** What is wrong with how the policies are written, whatever they let through: rules that hold of the text. */
import type { PolicyDocument, PolicyStatement } from '../../local/iam/policy.ts';
import { list } from '../proofs/model/lists.ts';

type Documents = ReadonlyMap<string, PolicyDocument>;

/** @param policies documents by name, as in `Stack.policies` */
export const structureProblems = (policies: Documents): string[] => [
  ...wildcards(policies),
  ...brokenTwins(policies),
  ...otherNames(policies),
  ...otherDoors(policies),
  ...looseLists(policies),
  ...otherErrands(policies),
];

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

/** A dedicated role's tag tells its tenant, and so does its name: who is let in by name is compared with the tag, in case a role is ever made wrongly. */
function otherNames(policies: Documents): string[] {
  return [...policies].flatMap(([name, { Statement }]) =>
    list(Statement).flatMap(({ Effect, Sid, Condition }) =>
      Effect === 'Allow' &&
      Object.values(Condition ?? {}).some((values) =>
        /:role\/cordon\/TenantAgent-[^a-z$]/.test(JSON.stringify(values['aws:PrincipalArn'] ?? '')),
      )
        ? [`${name} ${Sid} lets in dedicated roles by a name that is not their tenant's`]
        : [],
    ),
  );
}

/**
 * Where a dedicated key is used in its tenant's name and by no service, its policy says both by itself. The pool's key compares the session's tenant by a variable, and
 * has the Denies of all other use.
 */
function otherDoors(policies: Documents): string[] {
  return list(policies.get('key dedicated')?.Statement).flatMap(({ Effect, Sid, Condition = {} }) => {
    if (Effect !== 'Allow' || Condition['ForAllValues:StringEquals']?.['kms:EncryptionContextKeys'] === undefined) return [];
    const isWhole =
      String(Condition['Null']?.['kms:ViaService']) === 'true' && Condition['StringEquals']?.['aws:PrincipalTag/TenantId'] !== undefined;
    return isWhole ? [] : [`key dedicated ${Sid} is not for the session of a tenant, by itself`];
  });
}

/** What lists are compared with, of an Allow or a trust policy: every leading key and not one of them, a user with a name; and a Deny of all but some actions names each. */
function looseLists(policies: Documents): string[] {
  return [...policies].flatMap(([name, { Statement }]) =>
    list(Statement).flatMap(({ Effect, Sid, NotAction, Condition = {} }) => {
      const problems: string[] = [];
      if (Effect === 'Deny' && list(NotAction).some((action) => /[*?]/.test(action))) problems.push('leaves out more than it names');
      if (
        Effect === 'Allow' &&
        Object.keys(Condition).some(
          (operator) => operator.startsWith('ForAnyValue:') && Condition[operator]?.['dynamodb:LeadingKeys'] !== undefined,
        )
      )
        problems.push('compares one leading key and not all');
      const mayNameUser = JSON.stringify(Condition['ForAllValues:StringEquals']?.['aws:TagKeys'] ?? '').includes('UserId');
      const namesUser = [Condition['StringLike'], Condition['StringLikeIfExists']].some(
        (values) => values?.['aws:RequestTag/UserId'] === '?*',
      );
      if (name.startsWith('trust ') && mayNameUser && !namesUser) problems.push('takes an empty user');
      return problems.map((problem) => `${name} ${Sid} ${problem}`);
    }),
  );
}

/** Services work for other accounts too: one that is let into a function, a queue, a topic or a log says on whose errand it comes ("The confused deputy problem", IAM User Guide). */
function otherErrands(policies: Documents): string[] {
  return [...policies].flatMap(([name, { Statement }]) =>
    list(Statement).flatMap(({ Effect, Sid, Principal, Condition = {} }) => {
      const isOfService = typeof Principal === 'object' && Principal['Service'] !== undefined;
      const namesSource = ['ArnEquals', 'ArnLike', 'StringEquals', 'StringLike'].some(
        (operator) => Condition[operator]?.['aws:SourceArn'] !== undefined || Condition[operator]?.['aws:SourceAccount'] !== undefined,
      );
      return name.startsWith('resource ') && Effect === 'Allow' && isOfService && !namesSource
        ? [`${name} ${Sid} lets in a service on anybody's errand`]
        : [];
    }),
  );
}
