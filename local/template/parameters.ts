/** A template's parameters: declared, checked, given values. Source: AWS CloudFormation Template Reference, "Parameters". */
import { z } from 'zod';
import { TemplateError } from './intrinsics.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const limit = z.coerce.number().optional();
export const parameter = z.looseObject({
  Type: z.string().default('String'),
  Default: scalar.optional(),
  AllowedValues: z.array(scalar).optional(),
  AllowedPattern: z.string().optional(),
  ConstraintDescription: z.string().optional(),
  MinLength: limit,
  MaxLength: limit,
  MinValue: limit,
  MaxValue: limit,
  NoEcho: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).optional(),
});
type Parameter = z.output<typeof parameter>;

/** A list for `CommaDelimitedList` and `List<…>`. */
export type ParameterValue = string | readonly string[];

/**
 * Parameters by the given values over their defaults.
 * @throws TemplateError for a value without parameter, a parameter without value, or a value that its constraints do not allow
 */
export function parametersOf(
  { Parameters }: { readonly Parameters: Readonly<Record<string, Parameter>> },
  given: Readonly<Record<string, string>>,
): ReadonlyMap<string, ParameterValue> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(Parameters, name));
  if (unknown !== undefined) throw new TemplateError(`The template has no parameter ${unknown}.`);
  return new Map(
    Object.entries(Parameters).map(([name, declared]) => {
      const value = given[name] ?? declared.Default;
      if (value === undefined) throw new TemplateError(`The parameter ${name} has no value.`);
      return [name, checked(name, declared, String(value))];
    }),
  );
}

function checked(name: string, declared: Parameter, value: string): ParameterValue {
  const { Type, AllowedValues, AllowedPattern, ConstraintDescription, MinLength, MaxLength, MinValue, MaxValue } = declared;
  const isList = Type === 'CommaDelimitedList' || /^List<.+>$/.test(Type);
  const items = isList ? value.split(',').map((item) => item.trim()) : [value];
  const refuse = (why: string): never => {
    throw new TemplateError(`Parameter ${name} ${ConstraintDescription ?? why}.`);
  };
  if (AllowedValues !== undefined && !items.every((item) => AllowedValues.map(String).includes(item)))
    refuse(`must be one of AllowedValues: ${AllowedValues.join(', ')}`);
  if (AllowedPattern !== undefined && !items.every((item) => new RegExp(`^(?:${AllowedPattern})$`).test(item)))
    refuse(`must match pattern ${AllowedPattern}`);
  if (value.length < (MinLength ?? 0)) refuse(`must contain at least ${MinLength} characters`);
  if (value.length > (MaxLength ?? Number.POSITIVE_INFINITY)) refuse(`must contain at most ${MaxLength} characters`);
  if (Type === 'Number' && (value.trim() === '' || !Number.isFinite(Number(value)))) refuse('must be a number');
  if (Type === 'Number' && Number(value) < (MinValue ?? Number.NEGATIVE_INFINITY)) refuse(`must be a number not less than ${MinValue}`);
  if (Type === 'Number' && Number(value) > (MaxValue ?? Number.POSITIVE_INFINITY)) refuse(`must be a number not greater than ${MaxValue}`);
  return isList ? items : value;
}
