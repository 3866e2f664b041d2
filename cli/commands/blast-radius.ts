import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { credentialId, tenantId, userId } from '../../functions/shared/identifier-fields.ts';
import type { TenantId } from '../../functions/shared/identifiers.ts';
import { type BlastRadii, type BlastRadius, createBlastRadii } from '../blast-radius/blast-radius.ts';
import { accountOf, agentReach, credentialReach, type TenantFacts, userReach } from '../blast-radius/registry-reach.ts';
import { readStack } from '../blast-radius/stack.ts';
import { CommandError, usageError } from '../command-error.ts';
import { saveFile } from '../files.ts';
import { createRegistryReader, type RegistryReader } from '../platform/registry-reader.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { blastRadiusHtml, blastRadiusMermaid, blastRadiusSvg } from '../views/blast-radius-graph.ts';
import { blastRadiusLines, overviewLines } from '../views/blast-radius-view.ts';

const asked = z.object({
  function: z.string().optional(),
  role: z.string().optional(),
  credential: credentialId.optional(),
  user: userId.optional(),
  agent: z.string().min(1).max(256).optional(),
  tenant: tenantId.optional(),
  template: z.string().optional(),
  graph: z
    .string()
    .regex(/\.(svg|html|mmd)$/, 'must end in .svg, .html or .mmd')
    .optional(),
});
type Asked = z.infer<typeof asked>;

const shipped = resolve(import.meta.dirname, '../../cdk.out/Cordon.template.json');

export function blastRadiusCommand(handle: Handle): Command {
  return new Command('blast-radius')
    .description('what could be reached with something that was compromised; of everybody at a glance when nothing is named')
    .option('--function <name>', 'a function of the stack')
    .option('--role <name>', 'a role of the stack, TenantAgent-{tenant} among them')
    .option('--credential <id>', 'with --tenant: a credential’s key')
    .option('--user <id>', 'with --tenant: a user’s token')
    .option('--agent <id>', 'with --tenant: an agent’s token')
    .option('--tenant <id>', 'whose credential, user or agent it is')
    .option('--graph <file>', 'draw it into a file besides: .svg, .html or .mmd (Mermaid)')
    .option('--template <file>', 'the synthesized template; the one of this checkout when left out')
    .action(handle(asked, measure));
}

async function measure(context: Context, input: Asked): Promise<Answer> {
  const subject = subjectOf(input);
  const path = input.template === undefined ? shipped : resolve(context.io.directory, input.template);
  const radii = createBlastRadii(readStack(templateAt(path)));
  context.note(`Policies: ${path}, as this checkout synthesizes them. Whether they are the ones that are deployed is not asked here.`);
  if (subject === undefined) return overview(radii, input);
  const radius = await radiusOf(context, radii, subject);
  if (input.graph !== undefined) draw(context, input.graph, radius);
  return { json: { template: path, ...radius }, lines: blastRadiusLines(radius) };
}

function overview(radii: BlastRadii, { graph }: Asked): Answer {
  if (graph !== undefined) throw usageError('--graph draws one: name a function, role, credential, user or agent.');
  const all = [
    ...radii.functions.map((name) => radii.ofFunction(name)),
    // A function's own role is the function without its callers' tokens.
    ...radii.roles.filter((name) => !/FunctionRole$/.test(name)).map((name) => radii.ofRole(name)),
  ].filter((one) => one !== undefined);
  const summaries = all.map(({ kind, subject, itself, tenants, secrets }) => ({ kind, subject, itself, tenants, secrets }));
  return { json: { blastRadii: summaries }, lines: overviewLines(all) };
}

type Subject =
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'role'; readonly name: string }
  | { readonly kind: 'credential'; readonly tenant: TenantId; readonly id: NonNullable<Asked['credential']> }
  | { readonly kind: 'user'; readonly tenant: TenantId; readonly id: NonNullable<Asked['user']> }
  | { readonly kind: 'agent'; readonly tenant: TenantId; readonly id: string };

/** @throws CommandError USAGE */
function subjectOf({ function: functionName, role, credential, user, agent, tenant }: Asked): Subject | undefined {
  const named = [functionName, role, credential, user, agent].filter((one) => one !== undefined);
  if (named.length > 1) throw usageError('Name one of --function, --role, --credential, --user and --agent.');
  if (functionName !== undefined || role !== undefined) {
    if (tenant !== undefined) throw usageError('--tenant goes with --credential, --user or --agent.');
    return functionName !== undefined ? { kind: 'function', name: functionName } : { kind: 'role', name: role ?? '' };
  }
  if (named.length === 0 && tenant === undefined) return undefined;
  if (tenant === undefined) throw usageError('Name whose it is with --tenant.');
  if (credential !== undefined) return { kind: 'credential', tenant, id: credential };
  if (user !== undefined) return { kind: 'user', tenant, id: user };
  if (agent !== undefined) return { kind: 'agent', tenant, id: agent };
  throw usageError('Name one of --credential, --user and --agent of the tenant.');
}

/** @throws CommandError FUNCTION_UNKNOWN | ROLE_UNKNOWN | TENANT_UNKNOWN | CREDENTIAL_UNKNOWN */
async function radiusOf(context: Context, radii: BlastRadii, subject: Subject): Promise<BlastRadius> {
  if (subject.kind === 'function') return known(subject.name, radii.functions, 'FUNCTION_UNKNOWN', (name) => radii.ofFunction(name));
  if (subject.kind === 'role') {
    // Every dedicated tenant's roles are alike.
    const name = subject.name.replace(/^(TenantAgent-)[^.]+/, '$1{tenant}');
    return known(name, radii.roles, 'ROLE_UNKNOWN', (one) => radii.ofRole(one));
  }
  const registry = createRegistryReader(await context.cloud());
  const facts = await factsOf(registry, subject.tenant);
  if (subject.kind === 'agent') return agentReach(subject.id, facts, radii.ofUsersSession());
  if (subject.kind === 'user') return userReach(subject.id, await registry.user(subject.tenant, subject.id), facts, radii.ofUsersSession());
  const credential = facts.credentials.find((one) => one.credentialId === subject.id);
  if (credential === undefined) throw new CommandError('CREDENTIAL_UNKNOWN', `${subject.tenant} has no credential ${subject.id}.`);
  const account = accountOf(credential, facts);
  const holders = account === undefined ? [] : await registry.tenantsAt(credential.provider, account);
  return credentialReach(
    credential,
    facts,
    holders.filter((one) => one !== subject.tenant),
  );
}

/** @throws CommandError TENANT_UNKNOWN */
async function factsOf(registry: RegistryReader, tenant: TenantId): Promise<TenantFacts> {
  const item = await registry.tenant(tenant);
  if (item === undefined)
    throw new CommandError('TENANT_UNKNOWN', `There is no tenant ${tenant}: "cordon tenants list" says which there are.`);
  return { tenant: item, credentials: await registry.credentials(tenant), connections: await registry.connections(tenant) };
}

/** By its name, or by the end of it that no other has; case does not matter. */
function known(name: string, names: readonly string[], code: string, of: (name: string) => BlastRadius | undefined): BlastRadius {
  const wanted = name.toLowerCase();
  const ending = names.filter((one) => one.toLowerCase().endsWith(wanted));
  const found = names.find((one) => one.toLowerCase() === wanted) ?? (ending.length === 1 ? ending[0] : undefined);
  const radius = found === undefined ? undefined : of(found);
  if (radius === undefined) throw new CommandError(code, `There is no ${name}, or more than one. There are ${names.join(', ')}.`);
  return radius;
}

/** @throws CommandError NO_TEMPLATE */
function templateAt(path: string): unknown {
  if (!existsSync(path)) throw new CommandError('NO_TEMPLATE', `${path} is not there: \`npm run synth\` makes it.`);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CommandError('NO_TEMPLATE', `${path} is no template: \`npm run synth\` makes one.`, { cause: error });
  }
}

function draw({ io, note }: Context, file: string, radius: BlastRadius): void {
  const text = file.endsWith('.mmd')
    ? blastRadiusMermaid(radius)
    : file.endsWith('.html')
      ? blastRadiusHtml(radius)
      : blastRadiusSvg(radius);
  saveFile(io, file, text);
  note(`Drawn into ${file}.`);
}
