import { createHash } from 'node:crypto';
import { canonicalJson } from '../../byoc/probe/sign-evidence.ts';
import { type CertificateRecord, partFormat } from './certificate.ts';

/** A part as it is kept: canonical JSON, and what the header says of it. */
export interface PartText {
  readonly number: number;
  readonly text: string;
  readonly records: number;
}

/**
 * Bytes. An item of DynamoDB ends at 400 KB, its other members included (DynamoDB Developer Guide, "Quotas"); a record is made from one item and so never larger itself.
 */
export const maxPartBytes = 300 * 1024;

/** The records in their order, in as few texts as there is room for; one at least. */
export function splitIntoParts(certificateId: string, records: readonly CertificateRecord[], maxBytes = maxPartBytes): readonly PartText[] {
  const groups: CertificateRecord[][] = [[]];
  let room = maxBytes;
  for (const record of records) {
    const bytes = Buffer.byteLength(canonicalJson(record)) + 1;
    const current = groups.at(-1) ?? [];
    if (bytes > room && current.length > 0) {
      groups.push([record]);
      room = maxBytes - bytes;
    } else {
      current.push(record);
      room -= bytes;
    }
  }
  return groups.map((group, index) => {
    const number = index + 1;
    return { number, text: canonicalJson({ format: partFormat, certificateId, number, records: group }), records: group.length };
  });
}

export function sha256Of(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
