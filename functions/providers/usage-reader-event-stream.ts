/**
 * Token usage in Amazon's event streams: the `metadata` event of ConverseStream, and the last chunk of InvokeModelWithResponseStream.
 * Sources: Amazon Bedrock API Reference, ConverseStream, InvokeModelWithResponseStream; Smithy, "Amazon Event Stream" (message = total length, headers length,
 * CRC of both, headers, payload, CRC). Checksums are the client's to verify: here nothing is decided by the contents.
 */
import type { UsageReader } from './egress-adapter.ts';
import { createTally, parsed, type Tally } from './usage-reader.ts';

const preludeBytes = 12;
const trailerBytes = 4;
/** Longer messages are passed over: usage stands in small ones. */
const maxMessageBytes = 256 * 1024;
/** The standard's own bound; a stream that exceeds it is not one. */
const longestMessage = 24 * 1024 * 1024;

export function readEventStream(): UsageReader {
  const tally = createTally();
  let held = Buffer.alloc(0);
  let toSkip = 0;
  let broken = false;
  return {
    push(chunk) {
      if (broken) return;
      let bytes = held.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([held, chunk]);
      for (;;) {
        const skipped = Math.min(toSkip, bytes.length);
        toSkip -= skipped;
        bytes = bytes.subarray(skipped);
        if (bytes.length < preludeBytes) break;
        const total = bytes.readUInt32BE(0);
        if (total < preludeBytes + trailerBytes || total > longestMessage) {
          broken = true;
          break;
        }
        if (total > maxMessageBytes) {
          toSkip = total;
          continue;
        }
        if (bytes.length < total) break;
        count(tally, bytes.subarray(0, total));
        bytes = bytes.subarray(total);
      }
      // A copy: the chunk's memory belongs to the connection.
      held = broken ? Buffer.alloc(0) : Buffer.from(bytes);
    },
    end: () => tally.total(),
  };
}

function count(tally: Tally, message: Buffer): void {
  const headersLength = message.readUInt32BE(4);
  const from = preludeBytes + headersLength;
  const to = message.length - trailerBytes;
  if (from > to) return;
  const text = message.toString('utf8', from, to);
  if (text.includes('"usage"')) tally.add(parsed(text));
  if (!text.includes('"bytes"')) return;
  const chunk = parsed(text);
  if (typeof chunk !== 'object' || chunk === null || !('bytes' in chunk) || typeof chunk.bytes !== 'string') return;
  const event = Buffer.from(chunk.bytes, 'base64').toString('utf8');
  if (/"(usage|amazon-bedrock-invocationMetrics)"/.test(event)) tally.add(parsed(event));
}
