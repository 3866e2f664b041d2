import { Command } from 'commander';
import { z } from 'zod';
import { certificateHtml } from '../../functions/revocation/certificate/certificate-html.ts';
import { verifyCertificate } from '../../functions/revocation/certificate/verify-certificate.ts';
import { certificateRequested, incidentId, revocationId } from '../../functions/revocation/events.ts';
import { tenantId, userId } from '../../functions/shared/identifier-fields.ts';
import { displayText } from '../../functions/tenants/credential-spec.ts';
import { send, waiting, withRequester, withTimeout } from '../asking.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError, exitCodes, usageError } from '../command-error.ts';
import { readFile, saveFile } from '../files.ts';
import { readCertificateFile } from '../platform/certificate-files.ts';
import { publishedAbout, throwIfFailed } from '../platform/event-log.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { checkLines, checkView } from '../views/certificate-view.ts';

const fetched = z.object({
  tenantId,
  file: z.string().min(1),
  html: z.string().min(1).optional(),
  revocation: revocationId.optional(),
  user: userId.optional(),
  incident: incidentId.optional(),
  tenant: z.boolean().default(false),
  requestedBy: displayText.optional(),
  timeout: waiting.shape.timeout,
});
type Fetched = z.infer<typeof fetched>;
const verified = z.object({ file: z.string().min(1), publicKey: z.string().min(1).optional() });

export function certificateCommand(handle: Handle): Command {
  const command = new Command('certificate')
    .description('a signed certificate of what was ended, as a file; ends with 3 when it lists something unconfirmed')
    .argument('<tenant-id>')
    .argument('<file>', 'where to write it (JSON)')
    .option('--revocation <id>', 'the one made at the end of a revocation')
    .option('--user <id>', 'a new one, of everything about one user')
    .option('--incident <id>', 'a new one, of everything about one incident')
    .option('--tenant', 'a new one, of everything about the tenant')
    .option('--html <file>', 'a page to read and to print besides');
  return withTimeout(withRequester(command), 300).action(handle(fetched, fetchCertificate));
}

export function verifyCertificateCommand(handle: Handle): Command {
  return new Command('verify-certificate')
    .description('check a certificate with nothing but its file: no AWS is asked')
    .argument('<file>')
    .option('--public-key <file>', 'PEM of the key that has to have signed it; without, the one in the file is used')
    .action(handle(verified, verify));
}

async function fetchCertificate(context: Context, input: Fetched): Promise<Answer> {
  const of = wantedOf(input);
  const cloud = await context.cloud();
  const certificateId =
    'revocationId' in of ? await idAtEndOf(cloud, input.tenantId, of.revocationId) : await ask(context, cloud, input, of);
  const text = `${JSON.stringify(await readCertificateFile(cloud, input.tenantId, certificateId), undefined, 2)}\n`;
  const check = verifyCertificate(text);
  const { io } = context;
  saveFile(io, input.file, text);
  if (input.html !== undefined) saveFile(io, input.html, certificateHtml(text));
  if (!check.ok)
    throw new CommandError('CERTIFICATE_INVALID', `${input.file} was written, and is not as it was signed: ${check.problems.join('; ')}.`);
  const view = checkView(check);
  return {
    json: { ...view.certificate, key: view.key, file: input.file, html: input.html },
    lines: [...checkLines(view), '', `Written to ${[input.file, input.html].filter((name) => name !== undefined).join(' and ')}.`],
    exitCode: check.header?.complete === true ? exitCodes.ok : exitCodes.unconfirmed,
  };
}

type Wanted = z.input<typeof certificateRequested>['of'] | { readonly revocationId: string };

/** @throws CommandError USAGE */
function wantedOf({ revocation, user, incident, tenant }: Fetched): Wanted {
  const wanted: Wanted[] = [
    ...(revocation === undefined ? [] : [{ revocationId: revocation }]),
    ...(user === undefined ? [] : [{ userId: user }]),
    ...(incident === undefined ? [] : [{ incidentId: incident }]),
    ...(tenant ? [{ tenant }] : []),
  ];
  const [only, ...more] = wanted;
  if (only === undefined || more.length > 0) throw usageError('Name one of --revocation, --user, --incident and --tenant.');
  return only;
}

/** @throws CommandError REVOCATION_UNKNOWN | NO_CERTIFICATE */
async function idAtEndOf(cloud: Cloud, tenant: Fetched['tenantId'], revocation: string): Promise<string> {
  const item = await createRegistryReader(cloud).revocation(tenant, revocation);
  if (item === undefined)
    throw new CommandError(
      'REVOCATION_UNKNOWN',
      `${tenant} has no revocation ${revocation}: "cordon revocations list ${tenant}" says which there are.`,
    );
  if (item.certificateId === undefined)
    throw new CommandError(
      'NO_CERTIFICATE',
      `The revocation ${revocation} is ${item.status} and has no certificate yet: it gets one when nothing is left to do but wait for providers.`,
    );
  return item.certificateId;
}

const issued = z.object({ requestId: z.string(), certificateId: z.string() });

/** Has a certificate made, and waits for it. @throws CommandError TIMED_OUT, or with the reason's code */
async function ask(context: Context, cloud: Cloud, { tenantId: tenant, requestedBy, timeout }: Fetched, of: Wanted): Promise<string> {
  const sent = await send(
    cloud,
    { type: 'CertificateRequested', schema: certificateRequested, detail: { tenantId: tenant, of } },
    requestedBy,
  );
  context.note('asked for');
  const found = await until(context.io, timeout, async () => {
    await throwIfFailed(cloud, sent);
    for (const { type, detail } of await publishedAbout(cloud, sent.eventId, sent.at)) {
      const told = issued.safeParse(detail);
      if (type === 'CertificateIssued' && told.success && told.data.requestId === sent.eventId) return told.data.certificateId;
    }
    return undefined;
  });
  if (found !== undefined) return found;
  throw new CommandError('TIMED_OUT', `No certificate after ${timeout} seconds; it may still be made. The request was ${sent.eventId}.`, {
    exitCode: exitCodes.timedOut,
  });
}

async function verify({ io, note }: Context, { file, publicKey }: z.infer<typeof verified>): Promise<Answer> {
  const pem = publicKey === undefined ? undefined : readFile(io, publicKey);
  const check = verifyCertificate(readFile(io, file), { publicKey: pem });
  const view = checkView(check);
  for (const one of [...view.problems, ...view.notes]) note(one);
  const exitCode = check.ok ? (check.header?.complete === true ? exitCodes.ok : exitCodes.unconfirmed) : exitCodes.failed;
  return { json: view, lines: checkLines(view), exitCode };
}
