/** Policies with one thing wrong: a rule dropped, widened or turned round. */
import type { ConditionValue, PolicyDocument, PolicyStatement } from '../../local/iam/policy.ts';
import { list } from '../proofs/model/lists.ts';

export interface Mutant {
  /** Of which statement, e.g. `DenyRetagging`. */
  readonly statement: string;
  /** E.g. `DenyRetagging: Effect turned round`. */
  readonly name: string;
  readonly document: PolicyDocument;
  readonly before: PolicyStatement;
  /** Undefined: the statement is gone. */
  readonly after: PolicyStatement | undefined;
}

interface Change {
  readonly what: string;
  readonly after: PolicyStatement | undefined;
}

export function mutantsOf(document: PolicyDocument): Mutant[] {
  const statements = list(document.Statement);
  return statements.flatMap((before, index) =>
    changesOf(before, statements.length).map(({ what, after }) => ({
      statement: before.Sid ?? `#${index}`,
      name: `${before.Sid ?? `#${index}`}: ${what}`,
      before,
      after,
      document: { ...document, Statement: statements.flatMap((one, at) => (at !== index ? [one] : after === undefined ? [] : [after])) },
    })),
  );
}

function changesOf(statement: PolicyStatement, statements: number): Change[] {
  return [
    ...(statements > 1 ? [{ what: 'dropped', after: undefined }] : []),
    { what: 'Effect turned round', after: { ...statement, Effect: statement.Effect === 'Allow' ? ('Deny' as const) : ('Allow' as const) } },
    ...(['Action', 'NotAction', 'Resource', 'NotResource'] as const).flatMap((element) => elementChanges(statement, element)),
    ...principalChanges(statement),
    ...conditionChanges(statement),
  ];
}

/** Whoever is named in the policy of a resource: everybody in their place, or the others without them. Of services there is no wildcard but the one for everybody. */
function principalChanges(statement: PolicyStatement): Change[] {
  const { Principal } = statement;
  if (Principal === undefined || typeof Principal === 'string') return [];
  return Object.entries(Principal).flatMap(([type, written]) => {
    const names = list(written);
    return names.flatMap((name, at) => [
      ...(name === '*' || type === 'Federated'
        ? []
        : [
            {
              what: `Principal ${name} widened to *`,
              after: { ...statement, Principal: type === 'AWS' ? { ...Principal, AWS: '*' } : ('*' as const) },
            },
          ]),
      ...(names.length > 1
        ? [
            {
              what: `Principal without ${name}`,
              after: { ...statement, Principal: { ...Principal, [type]: names.filter((_, index) => index !== at) } },
            },
          ]
        : []),
    ]);
  });
}

const opposite = { Action: 'NotAction', NotAction: 'Action', Resource: 'NotResource', NotResource: 'Resource' } as const;

function elementChanges(statement: PolicyStatement, element: keyof typeof opposite): Change[] {
  const { [element]: written, ...others } = statement;
  const values = list(written);
  if (values.length === 0) return [];
  const put = (what: string, changed: readonly string[]): Change => ({
    what: `${element} ${what}`,
    after: { ...statement, [element]: changed },
  });
  const isAction = element.endsWith('Action');
  return [
    ...(values.includes('*') ? [] : [{ what: `${element} turned round`, after: { ...others, [opposite[element]]: written } }]),
    ...values.flatMap((value, at) => {
      const replaced = (by: string): string[] => values.map((one, index) => (index === at ? by : one));
      return [
        ...(values.length > 1
          ? [
              put(
                `without ${value}`,
                values.filter((_, index) => index !== at),
              ),
            ]
          : []),
        ...(value === '*'
          ? []
          : [
              put(
                `${value} widened to ${isAction ? `${value.split(':')[0]}:*` : '*'}`,
                replaced(isAction ? `${value.split(':')[0]}:*` : '*'),
              ),
            ]),
        ...variableChanges(value).map(({ what, text }) => put(`${value} ${what}`, replaced(text))),
      ];
    }),
  ];
}

/** A variable that takes any value, or another one's. */
function variableChanges(text: string): { readonly what: string; readonly text: string }[] {
  if (!text.includes('${aws:PrincipalTag/')) return [];
  return [
    { what: 'with * for its variable', text: text.replaceAll(/\$\{[^}]+\}/g, '*') },
    {
      what: 'with another variable',
      text: text.replaceAll(/PrincipalTag\/(TenantId|UserId)/g, (_, name) => `PrincipalTag/${name === 'UserId' ? 'TenantId' : 'UserId'}`),
    },
    ...(/\}[/#.]\*/.test(text) ? [{ what: 'without its delimiter', text: text.replace(/\}[/#.]\*/, '}*') }] : []),
  ];
}

/** Operators by what turns them round. */
function turned(operator: string): string[] {
  const [, set = '', plain = ''] = /^(ForAllValues:|ForAnyValue:)?(.*)$/.exec(operator) ?? [];
  if (plain === 'Null' || /^(Date|Numeric|Bool)/.test(plain)) return [];
  const negated = plain.includes('Not') ? plain.replace('Not', '') : plain.replace(/^(String|Arn)/, '$1Not');
  return [
    `${set}${negated}`,
    ...(set === '' ? [`${plain}IfExists`] : [`${set === 'ForAllValues:' ? 'ForAnyValue:' : 'ForAllValues:'}${plain}`]),
  ];
}

function conditionChanges(statement: PolicyStatement): Change[] {
  const { Condition = {} } = statement;
  const put = (what: string, changed: PolicyStatement['Condition']): Change => ({
    what: `Condition ${what}`,
    after: { ...statement, Condition: changed },
  });
  const without = (operator: string, key: string): Record<string, Record<string, ConditionValue>> =>
    Object.fromEntries(
      Object.entries(Condition).flatMap(([one, keys]) => {
        const left = Object.entries(keys).filter(([name]) => one !== operator || name !== key);
        return left.length === 0 ? [] : [[one, Object.fromEntries(left)]];
      }),
    );
  const withKey = (operator: string, key: string, value: ConditionValue, from: Record<string, Record<string, ConditionValue>>) => ({
    ...from,
    [operator]: { ...from[operator], [key]: value },
  });
  return Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).flatMap(([key, value]) => {
      const values = [value].flat().map(String);
      const rest = without(operator, key);
      const name = `${operator} ${key}`;
      return [
        put(`${name} dropped`, rest),
        ...turned(operator)
          // A key that is compared twice by one operator would lose one of the two.
          .filter((by) => rest[by]?.[key] === undefined)
          .map((by) => put(`${name} as ${by}`, withKey(by, key, value, rest))),
        ...(operator === 'Null'
          ? [put(`${name} turned round`, withKey(operator, key, values[0] === 'true' ? 'false' : 'true', rest))]
          : []),
        ...values.flatMap((one, at) => [
          ...(values.length > 1
            ? [
                put(
                  `${name} without ${one}`,
                  withKey(
                    operator,
                    key,
                    values.filter((_, index) => index !== at),
                    rest,
                  ),
                ),
              ]
            : []),
          ...variableChanges(one).map(({ what, text }) =>
            put(
              `${name} ${one} ${what}`,
              withKey(
                operator,
                key,
                values.map((other, index) => (index === at ? text : other)),
                rest,
              ),
            ),
          ),
        ]),
      ];
    }),
  );
}
