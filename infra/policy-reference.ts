import { comparedProperties, dedicatedSettings, type Reference } from '../functions/isolation/audit/reference.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** What the audit knows how to resolve (`resolve-reference.ts`). */
const knownFunctions = new Set(['Ref', 'Fn::GetAtt', 'Fn::Join']);
/** Types that carry a policy, by their name or by a property. */
const policyTypes = /^AWS::IAM::(?!(AccessKey|InstanceProfile|ServiceLinkedRole)$)|Policy$|Permission$/;
const policyProperties = /^(Policy|ResourcePolicy|KeyPolicy|PolicyDocument|AssumeRolePolicyDocument)$/;

/**
 * The part of a synthesized template that decides who may do what: what the audit of the deployed policies compares with.
 *
 * @throws Error for a type with a policy that the audit does not know, or a reference that it cannot resolve: what would not be compared must not be deployed unseen
 */
export function policyReference({ Resources }: { readonly Resources: Readonly<Record<string, Resource>> }): Reference {
  const resources: Reference['resources'] = {};
  for (const [logicalId, { Type: type, Properties = {} }] of Object.entries(Resources)) {
    const names = comparedProperties[type];
    if (names === undefined) {
      const carries = policyTypes.test(type) || Object.keys(Properties).some((name) => policyProperties.test(name));
      if (carries) throw new Error(`${logicalId}: the audit of policies does not know ${type}`);
      continue;
    }
    const properties = Object.fromEntries(Object.entries(Properties).filter(([name]) => names.includes(name)));
    const other = Object.keys(Properties).find((name) => !names.includes(name) && /polic|^(Roles|Users|Groups)$/i.test(name));
    if (other !== undefined && !(type === 'AWS::SQS::Queue' && /^Redrive/.test(other)))
      throw new Error(`${logicalId}: the audit of policies does not compare ${other}`);
    refuseUnknown(logicalId, properties);
    resources[logicalId] = { type, properties };
  }
  return { resources, dedicated: dedicatedIn(Resources) };
}

/** What the function that makes dedicated tenants' roles and keys is configured with: the one that is told the isolation policy's ARN. */
function dedicatedIn(resources: Readonly<Record<string, Resource>>): Reference['dedicated'] {
  const environments = Object.values(resources).flatMap(({ Type, Properties }) =>
    Type === 'AWS::Lambda::Function' ? [fieldsOf(fieldsOf(Properties?.['Environment'])['Variables'])] : [],
  );
  const its = environments.find((variables) => dedicatedSettings.every((name) => variables[name] !== undefined));
  if (its === undefined) throw new Error('no function is told how to make a dedicated tenant’s roles');
  return Object.fromEntries(dedicatedSettings.map((name) => [name, its[name]]));
}

function refuseUnknown(logicalId: string, value: unknown): void {
  if (Array.isArray(value)) for (const one of value) refuseUnknown(logicalId, one);
  for (const [name, one] of Object.entries(fieldsOf(value))) {
    if (name.startsWith('Fn::') && !knownFunctions.has(name)) throw new Error(`${logicalId}: the audit of policies cannot resolve ${name}`);
    refuseUnknown(logicalId, one);
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
