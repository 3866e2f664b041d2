/**
 * Checks `openapi.yaml`: that it is valid OpenAPI, that its operations are the ones that the synthesized template deploys, and that each proxied provider's token
 * stands in the header that the authorizer reads. `node schemas/check-openapi.ts`, after `npm run synth`.
 */
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { parse } from 'yaml';
import { z } from 'zod';
import { proxyResources } from '../functions/broker/identity-sources.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;
const security = z.array(z.record(z.string(), z.array(z.string())));
const operation = z.looseObject({ operationId: z.string(), security: security.optional() });
const pathItem = z.looseObject(Object.fromEntries(methods.map((method) => [method, operation.optional()])));
const described = z.looseObject({
  paths: z.record(z.string(), pathItem),
  security,
  components: z.looseObject({
    securitySchemes: z.record(z.string(), z.looseObject({ type: z.string(), scheme: z.string().optional(), name: z.string().optional() })),
  }),
});
type Described = z.infer<typeof described>;

const text = readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8');
const problems: string[] = [];

/** Aliases and merge keys are YAML that readers of OpenAPI disagree about. */
if (/^[^'"#]*[:[{,] *[&*][A-Za-z]|<<:/m.test(text)) problems.push('openapi.yaml uses anchors, aliases or merge keys');
const result = await new Validator().validate(text);
if (!result.valid) problems.push(`openapi.yaml is not valid OpenAPI: ${JSON.stringify(result.errors)}`);
const parsed = described.safeParse(parse(text));
if (parsed.success) problems.push(...missing(parsed.data), ...wrongHeaders(parsed.data));
else problems.push(`openapi.yaml does not have the form this check knows: ${parsed.error.message}`);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log('openapi.yaml is valid and describes what is deployed');

/** What is deployed and not described, or described and not deployed. */
function missing(document: Described): string[] {
  const deployed = deployedMethods();
  const described = new Set(
    Object.entries(document.paths).flatMap(([path, item]) => methods.filter((method) => item[method]).map((method) => `${method} ${path}`)),
  );
  const undescribed = [...deployed].filter(
    ([path, allowed]) => ![...allowed].every((method) => [...described].some((one) => covers(one, method, path))),
  );
  const undeployed = [...described].filter((one) => {
    const [method = '', path = ''] = one.split(' ');
    const allowed = deployed.get(path);
    return !allowed?.has(method) && !allowed?.has('any');
  });
  return [
    ...undescribed.map(([path, allowed]) => `${[...allowed].join(', ')} ${path} is deployed and not described`),
    ...undeployed.map((one) => `${one} is described and not deployed`),
  ];
}

function covers(one: string, method: string, path: string): boolean {
  return method === 'any' ? one.endsWith(` ${path}`) : one === `${method} ${path}`;
}

/** Methods in lower case by path, as the template's REST API has them: `/proxy/openai/{path+}` is `/proxy/openai/{path}` in OpenAPI. */
function deployedMethods(): Map<string, Set<string>> {
  const reference = z.union([z.strictObject({ Ref: z.string() }), z.looseObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) })]);
  const resource = z.looseObject({ ParentId: reference, PathPart: z.string() });
  const method = z.looseObject({ HttpMethod: z.string(), ResourceId: reference });
  const template = z
    .looseObject({ Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown().optional() })) })
    .parse(JSON.parse(readFileSync(new URL('../cdk.out/Cordon.template.json', import.meta.url), 'utf8')));
  const ofType = (type: string): [string, unknown][] =>
    Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, Properties]] : []));
  const resources = new Map(ofType('AWS::ApiGateway::Resource').map(([id, properties]) => [id, resource.parse(properties)]));
  const pathOf = (to: z.infer<typeof reference>): string => {
    const found = 'Ref' in to && typeof to.Ref === 'string' ? resources.get(to.Ref) : undefined;
    return found ? `${pathOf(found.ParentId)}/${found.PathPart.replace('+}', '}')}` : '';
  };
  const deployed = new Map<string, Set<string>>();
  for (const [, properties] of ofType('AWS::ApiGateway::Method')) {
    const { HttpMethod, ResourceId } = method.parse(properties);
    const path = pathOf(ResourceId);
    deployed.set(path, (deployed.get(path) ?? new Set()).add(HttpMethod.toLowerCase()));
  }
  return deployed;
}

/** An operation whose token stands elsewhere than the authorizer looks would be described in vain. */
function wrongHeaders({ paths, security: general, components }: Described): string[] {
  return proxyResources.flatMap(({ path, headers }) => {
    const item = paths[path.replace('+}', '}')] ?? {};
    return methods.flatMap((method) => {
      const found = item[method];
      if (!found) return [];
      const stands = (found.security ?? general).map((requirement) => {
        const { type, name } = components.securitySchemes[Object.keys(requirement)[0] ?? ''] ?? { type: 'none' };
        return type === 'http' ? 'authorization' : name;
      });
      const same = stands.length === headers.length && headers.every((header) => stands.includes(header));
      return same ? [] : [`${method} ${path} describes its token in ${stands.join(' or ')}, the authorizer reads ${headers.join(' or ')}`];
    });
  });
}
