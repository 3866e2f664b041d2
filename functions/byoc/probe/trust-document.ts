import { z } from 'zod';

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => (typeof value === 'string' ? [value] : value));
const scalar = z.union([z.string(), z.boolean(), z.number()]).transform(String);
const values = z.union([scalar.transform((value) => [value]), z.array(scalar)]);
const statement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMore.optional(),
  NotAction: oneOrMore.optional(),
  Principal: z
    .union([z.literal('*').transform((everyone): Record<string, string[]> => ({ AWS: [everyone] })), z.record(z.string(), oneOrMore)])
    .optional(),
  NotPrincipal: z.unknown().optional(),
  Condition: z.record(z.string(), z.record(z.string(), values)).default({}),
});
const document = z.object({ Statement: z.union([z.array(statement), statement.transform((one) => [one])]) });

export type TrustStatement = z.output<typeof statement>;

/**
 * A role's trust policy, single values made lists. Source: IAM User Guide, "Grammar of the IAM JSON policy language".
 *
 * @returns undefined for text that is no policy
 */
export function parseTrust(text: string): readonly TrustStatement[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = document.safeParse(json);
  return parsed.success ? parsed.data.Statement : undefined;
}

/** One operator of a statement's condition, taken apart, with what it demands of one key. */
export interface KeyCondition {
  /** As the policy has it, e.g. `ForAnyValue:StringLike`. */
  readonly operator: string;
  /** In lower case, without set prefix and suffix, e.g. `stringlike`. */
  readonly base: string;
  readonly set: 'foranyvalue' | 'forallvalues' | undefined;
  readonly ifExists: boolean;
  readonly values: readonly string[];
}

/** What a statement demands of a condition key. Operators and keys compare without case (IAM User Guide, "Condition operators"). */
export function conditionsOn({ Condition }: TrustStatement, key: string): readonly KeyCondition[] {
  return Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).flatMap(([name, demanded]) => {
      if (name.toLowerCase() !== key.toLowerCase()) return [];
      const [, set, base = '', ifExists] = /^(?:(foranyvalue|forallvalues):)?(.*?)(ifexists)?$/.exec(operator.toLowerCase()) ?? [];
      const asked = set === 'foranyvalue' || set === 'forallvalues' ? set : undefined;
      return [{ operator, base, set: asked, ifExists: ifExists !== undefined, values: demanded }];
    }),
  );
}
