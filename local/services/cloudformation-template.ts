/** The template of a request: found, read, and checked for what the caller must acknowledge and what the local cloud can make. */
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Scope } from '../core/service.ts';
import { TemplateError } from '../template/intrinsics.ts';
import { handlers } from '../template/resources/index.ts';
import { parseTemplate, type Template, type TemplateResource } from '../template/template.ts';
import { templateFromText } from '../template/template-text.ts';

/** Source: CloudFormation User Guide, "Understand CloudFormation quotas". */
const maxBodyBytes = 51_200;
const maxObjectBytes = 1_000_000;

export interface TemplateReference {
  readonly TemplateBody?: string | undefined;
  readonly TemplateURL?: string | undefined;
}

/** @throws AwsError ValidationError; for a URL whatever S3 answers the caller, because it is read with the caller's own permissions */
export async function templateOf({ TemplateBody, TemplateURL }: TemplateReference, scope: Scope): Promise<Template> {
  if ((TemplateBody === undefined) === (TemplateURL === undefined))
    throw invalid('Either TemplateBody or TemplateURL must be specified, and not both.');
  if (TemplateBody !== undefined && Buffer.byteLength(TemplateBody) > maxBodyBytes)
    throw invalid(`'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${maxBodyBytes}`);
  const text = TemplateBody ?? (await textAt(TemplateURL ?? '', scope));
  return asValidation(() => {
    const template = parseTemplate(templateFromText(text));
    refuseUnknown(template);
    return template;
  });
}

const objectAnswer = z.object({ Body: z.instanceof(Uint8Array) });

async function textAt(url: string, scope: Scope): Promise<string> {
  const address = objectAddressOf(url);
  if (address === undefined) throw invalid('TemplateURL must be a supported URL.');
  const read: unknown = await scope.callVia('s3', 'GetObject', address).catch((error: unknown) => {
    throw error instanceof AwsError && error.status < 500 ? invalid(`S3 error: ${error.message}`) : error;
  });
  const { Body } = objectAnswer.parse(read);
  if (Body.length > maxObjectBytes) throw invalid('Template may not exceed 1000000 bytes in size.');
  return Buffer.from(Body).toString('utf8');
}

/** Virtual-hosted, path style, or path style at the local cloud itself; undefined for any other host. */
function objectAddressOf(url: string): { Bucket: string; Key: string } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, pathname, search } = new URL(url);
  const path = decodeURIComponent(pathname.slice(1));
  const [, bucket, inPath] = /^(?:(.+)\.)?(s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com)$/.exec(hostname) ?? [];
  const isLocal = hostname === '127.0.0.1' && protocol === 'http:';
  if (search !== '' || !((protocol === 'https:' && inPath !== undefined) || isLocal)) return undefined;
  if (bucket !== undefined) return { Bucket: bucket, Key: path };
  const [first = '', ...rest] = path.split('/');
  return { Bucket: first, Key: rest.join('/') };
}

/** A type that cannot be taken back cannot be made: a stack must be able to roll back and to be deleted. */
function refuseUnknown(template: Template): void {
  if (template.Rules !== undefined) throw notImplemented('the Rules of a template in a stack');
  for (const [id, { Type }] of Object.entries(template.Resources))
    if (handlers[Type]?.remove === undefined) throw notImplemented(`the resource type ${Type} (${id}) in a stack`);
  for (const [key, { Export }] of Object.entries(template.Outputs))
    if (Export !== undefined) throw notImplemented(`the Export of the output ${key}`);
}

const nameProperties: Readonly<Record<string, string>> = {
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
};

/** @throws AwsError InsufficientCapabilities ("CreateStack", Capabilities): a named IAM resource demands more than an unnamed one */
export function demandCapabilities(template: Template, given: readonly string[]): void {
  const iam = Object.values(template.Resources).filter(({ Type }) => Type.startsWith('AWS::IAM::'));
  const isNamed = ({ Type, Properties }: TemplateResource): boolean => Properties[nameProperties[Type] ?? ''] !== undefined;
  const enough = iam.some(isNamed) ? ['CAPABILITY_NAMED_IAM'] : ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'];
  if (iam.length > 0 && !enough.some((capability) => given.includes(capability)))
    throw new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${enough[0]}]`);
}

/** What the template says wrong is the caller's mistake here. */
export function asValidation<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof TemplateError ? invalid(error.message) : error;
  }
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message);
}
