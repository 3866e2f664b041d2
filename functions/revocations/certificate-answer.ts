import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { assembleFile } from '../revocation/certificate/assemble-file.ts';
import { certificateHtml } from '../revocation/certificate/certificate-html.ts';
import { maxPartBytes } from '../revocation/certificate/split-parts.ts';
import { CordonError } from '../shared/errors.ts';
import { downloadAnswer, printableAnswer, wantsPage } from '../shared/printable-answer.ts';
import { revocationOf } from './show-revocation.ts';
import type { OpenedTenant } from './tenant-view.ts';

/** Bytes: Lambda's answers end at 6 MB, in which the body is a JSON string. Source: AWS Lambda Developer Guide, "Lambda quotas". */
const maxAnswer = 5 * 1024 * 1024;

/**
 * The latest certificate of a revocation: the file, or by `Accept: text/html` the page to print.
 *
 * @throws CordonError REVOCATION_UNKNOWN | CERTIFICATE_UNKNOWN | CERTIFICATE_TOO_LARGE, for the caller to read; and as the view
 */
export async function certificateAnswer(
  { tenantId, view }: OpenedTenant,
  revocationId: string,
  event: Pick<APIGatewayProxyEvent, 'headers'>,
): Promise<APIGatewayProxyResult> {
  const { certificateId } = await revocationOf({ tenantId, view }, revocationId);
  const stored = certificateId === undefined ? undefined : await view.certificates.certificate(tenantId, certificateId);
  if (stored === undefined)
    throw new CordonError(
      'CERTIFICATE_UNKNOWN',
      'there is no certificate of this revocation: it ends no credential, or its work is not done yet',
    );
  // All parts but the last are nearly full: what cannot fit is not even read.
  if ((stored.parts - 1) * (maxPartBytes / 2) > maxAnswer) throw tooLarge(revocationId);
  const file = JSON.stringify(assembleFile(stored, await view.certificates.parts(tenantId, stored.certificateId)));
  const isPage = wantsPage(event);
  const body = isPage ? certificateHtml(file, { publicKey: stored.publicKey }) : file;
  if (Buffer.byteLength(JSON.stringify(body)) > maxAnswer) throw tooLarge(revocationId);
  return isPage ? printableAnswer(body) : downloadAnswer(body, `cordon-certificate-${stored.certificateId}.json`);
}

function tooLarge(revocationId: string): CordonError {
  const message = `the certificate is larger than an answer may be: whoever operates the platform gets the file by "cordon certificate --revocation ${revocationId}"`;
  return new CordonError('CERTIFICATE_TOO_LARGE', message);
}
