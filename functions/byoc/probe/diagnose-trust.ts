import { conditionsOn, type KeyCondition, parseTrust, type TrustStatement } from './trust-document.ts';

/** What a customer's trust policy has to name. */
export interface ExpectedTrust {
  readonly platformAccountId: string;
  readonly connectorRoleArn: string;
  readonly externalId: string;
}

export type TrustMistakeCode =
  | 'TRUSTS_EVERYONE'
  | 'TRUSTS_BY_EXCEPTION'
  | 'NO_EXTERNAL_ID'
  | 'EXTERNAL_ID_WILDCARD'
  | 'EXTERNAL_ID_FOR_ANY_VALUE'
  | 'EXTERNAL_ID_FOR_ALL_VALUES'
  | 'EXTERNAL_ID_IF_EXISTS'
  | 'EXTERNAL_ID_NEGATED'
  | 'EXTERNAL_ID_IGNORES_CASE'
  | 'ANOTHER_EXTERNAL_ID'
  | 'NO_PRINCIPAL_CONDITION'
  | 'PRINCIPAL_CONDITION_WIDE'
  | 'ANOTHER_PRINCIPAL'
  | 'ROLE_AS_PRINCIPAL';

/** One mistake in plain words: `message` says what the policy says, `nextStep` what it should say. Neither repeats an external ID. */
export interface TrustMistake {
  readonly code: TrustMistakeCode;
  readonly message: string;
  readonly nextStep: string;
}

/**
 * Reads a role's trust policy for the mistakes that are made with third parties. It explains what the probe found by trying, and finds what
 * no attempt can, such as another tenant's ID. Sources: IAM User Guide, "Access to AWS accounts owned by third parties", "Single-valued vs. multivalued context keys",
 * "IAM JSON policy elements: Condition operators", "AWS JSON policy elements: Principal".
 *
 * @param text the trust policy as JSON
 * @returns every mistake, none for the template's own policy; undefined for text that is no policy
 */
export function diagnoseTrust(text: string, expected: ExpectedTrust): readonly TrustMistake[] | undefined {
  return parseTrust(text)?.flatMap((statement, index) => {
    const who = whomItTrusts(statement, expected);
    if (statement.Effect === 'Deny' || who === undefined || !isAboutAssuming(statement)) return [];
    const where = `Statement ${statement.Sid === undefined ? index + 1 : `"${statement.Sid.slice(0, 64)}"`} of the role's trust policy`;
    return [...principalMistakes(statement, who, where, expected), ...externalIdMistakes(statement, where, expected)];
  });
}

type Trusted = 'everyone' | 'by-exception' | 'account' | 'connector' | 'another';

/** Whom of the platform a statement lets in; undefined when it is about somebody else, which is the customer's own business. */
function whomItTrusts({ Principal, NotPrincipal }: TrustStatement, expected: ExpectedTrust): Trusted | undefined {
  if (NotPrincipal !== undefined) return 'by-exception';
  const named = Principal?.['AWS'] ?? [];
  if (named.includes('*')) return 'everyone';
  const account = expected.platformAccountId;
  const ours = named.filter((principal) => principal === account || new RegExp(`^arn:[^:]+:(iam|sts)::${account}:`).test(principal));
  if (ours.length === 0) return undefined;
  if (ours.some((principal) => principal === account || principal.endsWith(':root'))) return 'account';
  return ours.every((principal) => principal === expected.connectorRoleArn) ? 'connector' : 'another';
}

function isAboutAssuming({ Action, NotAction }: TrustStatement): boolean {
  if (NotAction !== undefined) return true;
  const patterns = (Action ?? []).map(
    (action) =>
      new RegExp(
        `^${action
          .toLowerCase()
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
      ),
  );
  return patterns.some((pattern) => pattern.test('sts:assumerole'));
}

function principalMistakes(statement: TrustStatement, who: Trusted, where: string, expected: ExpectedTrust): readonly TrustMistake[] {
  const asAccount = `Set "Principal" to {"AWS": "arn:aws:iam::${expected.platformAccountId}:root"}.`;
  const onlyConnector = `Let its "Condition" have "ArnEquals": {"aws:PrincipalArn": "${expected.connectorRoleArn}"}, and no other value there.`;
  const mistake = (code: TrustMistakeCode, what: string, ...steps: readonly string[]): TrustMistake => ({
    code,
    message: `${where} ${what}`,
    nextStep: steps.join(' '),
  });
  if (who === 'connector') {
    const what =
      "names Cordon's role as principal, which AWS replaces by its unique ID: the trust would end if Cordon had to make its role again.";
    return [mistake('ROLE_AS_PRINCIPAL', what, asAccount, onlyConnector)];
  }
  const mistakes: TrustMistake[] = [];
  if (who === 'everyone') mistakes.push(mistake('TRUSTS_EVERYONE', 'trusts every AWS account ("Principal": "*").', asAccount));
  if (who === 'by-exception')
    mistakes.push(mistake('TRUSTS_BY_EXCEPTION', 'trusts everyone but those it names ("NotPrincipal").', asAccount));
  const conditions = conditionsOn(statement, 'aws:PrincipalArn').filter(
    ({ base, set }) => /^(arn|string)(equals|like)$/.test(base) && set !== 'forallvalues',
  );
  if (conditions.some(({ values }) => values.every((value) => value === expected.connectorRoleArn))) return mistakes;
  if (conditions.length > 0) {
    const what = "has a condition on aws:PrincipalArn that fits other roles than Cordon's connector.";
    mistakes.push(mistake('PRINCIPAL_CONDITION_WIDE', what, onlyConnector));
  } else if (who === 'another') {
    const what = "names another principal of Cordon's account than the connector.";
    mistakes.push(mistake('ANOTHER_PRINCIPAL', what, asAccount, onlyConnector));
  } else {
    const what =
      'has no condition on the calling role (aws:PrincipalArn), so every role that the account gives the right to assume it fits.';
    mistakes.push(mistake('NO_PRINCIPAL_CONDITION', what, onlyConnector));
  }
  return mistakes;
}

const isPattern = (value: string): boolean => /[*?]/.test(value);

function externalIdMistakes(statement: TrustStatement, where: string, { externalId }: ExpectedTrust): readonly TrustMistake[] {
  const all = conditionsOn(statement, 'sts:ExternalId');
  const mustExist = all.some(({ base, values }) => base === 'null' && values.every((value) => value.toLowerCase() === 'false'));
  const conditions = all.filter(({ base }) => base !== 'null');
  const demands = ({ base, set, ifExists, values }: KeyCondition): boolean =>
    (base === 'stringequals' || (base === 'stringlike' && !values.some(isPattern))) &&
    set === undefined &&
    (!ifExists || mustExist) &&
    values.every((value) => value === externalId);
  // Conditions add up: with one that demands this very ID, the others only narrow.
  if (conditions.some(demands)) return [];
  const nextStep = `Write the condition as "StringEquals": {"sts:ExternalId": "…"} with the one external ID of this connection, as the template has it.`;
  const mistake = (code: TrustMistakeCode, what: string): TrustMistake => ({ code, message: `${where} ${what}`, nextStep });
  if (conditions.length === 0) {
    const what = mustExist
      ? 'only asks that there is an external ID, not which.'
      : 'has no condition on sts:ExternalId, so none is needed.';
    return [mistake('NO_EXTERNAL_ID', what)];
  }
  return conditions.flatMap((condition) => flawsOf(condition, mustExist, externalId).map(([code, what]) => mistake(code, what)));
}

function flawsOf(
  { operator, base, set, ifExists, values }: KeyCondition,
  mustExist: boolean,
  externalId: string,
): readonly (readonly [TrustMistakeCode, string])[] {
  const flaws: (readonly [TrustMistakeCode, string])[] = [];
  if (/not/.test(base))
    return [['EXTERNAL_ID_NEGATED', `compares the external ID with ${operator}, which lets in every ID but the one it names.`]];
  if (ifExists && !mustExist)
    flaws.push(['EXTERNAL_ID_IF_EXISTS', `compares the external ID with ${operator}, which also holds when no external ID is given.`]);
  if (set === 'forallvalues')
    flaws.push(['EXTERNAL_ID_FOR_ALL_VALUES', `compares the external ID with ${operator}, which also holds when no external ID is given.`]);
  if (base === 'stringlike' && values.some(isPattern))
    flaws.push(['EXTERNAL_ID_WILDCARD', `compares the external ID with ${operator} and a wildcard (* or ?), which other IDs fit as well.`]);
  if (set === 'foranyvalue')
    flaws.push([
      'EXTERNAL_ID_FOR_ANY_VALUE',
      `compares the external ID with ${operator}, a comparison for keys with several values: sts:ExternalId has one.`,
    ]);
  if (base === 'stringequalsignorecase')
    flaws.push(['EXTERNAL_ID_IGNORES_CASE', `compares the external ID with ${operator}, without regard to case.`]);
  const named = (value: string): string => (base.endsWith('ignorecase') ? value.toLowerCase() : value);
  if (values.some((value) => named(value) !== externalId && !(base === 'stringlike' && isPattern(value))))
    flaws.push(['ANOTHER_EXTERNAL_ID', 'names an external ID that is not the one of this connection.']);
  return flaws;
}
