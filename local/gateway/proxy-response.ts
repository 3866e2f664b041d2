/** What a function answers to the gateway, whole or ahead of a stream. Sources: API Gateway Developer Guide, "Output format of a Lambda function for proxy integration", "Lambda proxy integration format for response streaming". */
import { z } from 'zod';
import { badGateway } from './refusal.ts';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const head = {
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), text).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(text)).nullish(),
};
const whole = z.strictObject({ ...head, body: text.nullish(), isBase64Encoded: z.boolean().default(false) });
const prelude = z.strictObject({ ...head, cookies: z.array(z.string()).default([]) });

export interface ResponseHead {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
/** Headers that are the gateway's own to send: a function's are passed on under another name ("Important notes" for REST APIs). */
const remapped = new Set(['authorization', 'content-length', 'content-md5', 'date', 'host', 'server', 'www-authenticate']);

function headOf(
  { statusCode, headers, multiValueHeaders }: z.output<typeof prelude> | z.output<typeof whole>,
  contentType: string,
): ResponseHead {
  const multiple = Object.entries(multiValueHeaders ?? {});
  const given = new Set(multiple.map(([name]) => name.toLowerCase()));
  const single = Object.entries(headers ?? {}).filter(([name]) => !given.has(name.toLowerCase()));
  const pairs = [...single, ...multiple.flatMap(([name, values]) => values.map((value) => [name, value] as const))];
  const sent = pairs
    .filter(([name]) => !hopByHop.has(name.toLowerCase()))
    .map(([name, value]) => [remapped.has(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name, value] as const);
  const typed = sent.some(([name]) => name.toLowerCase() === 'content-type') ? [] : [['content-type', contentType] as const];
  return { status: statusCode, headers: [...sent, ...typed] };
}

/** A whole response. @throws Refusal 502 when it is malformed. */
export function parseWhole(payload: string, mayBeBinary: boolean): ResponseHead & { readonly body: Buffer } {
  const parsed = whole.safeParse(parseJson(payload));
  if (!parsed.success) throw badGateway();
  const { body, isBase64Encoded } = parsed.data;
  return {
    ...headOf(parsed.data, 'application/json'),
    // Without a binary media type the text goes out as it is, still encoded.
    body: Buffer.from(body ?? '', isBase64Encoded && mayBeBinary ? 'base64' : 'utf8'),
  };
}

const delimiter = Buffer.alloc(8);
/** Within so much of the stream the prelude must end. */
const maxPreludeBytes = 16_384;

/** Takes chunks until the prelude and its eight NUL bytes are there; then answers what it says and the bytes behind it. */
export function createPreludeReader(): (chunk: Uint8Array) => { readonly head: ResponseHead; readonly rest: Buffer } | undefined {
  let seen = Buffer.alloc(0);
  return (chunk) => {
    seen = Buffer.concat([seen, chunk]);
    const end = seen.indexOf(delimiter);
    if (end > maxPreludeBytes || (end < 0 && seen.length > maxPreludeBytes + delimiter.length)) throw badGateway();
    if (end < 0) return undefined;
    const parsed = prelude.safeParse(parseJson(seen.subarray(0, end).toString()));
    if (!parsed.success) throw badGateway();
    const cookies = parsed.data.cookies.map((cookie) => ['set-cookie', cookie] as const);
    const { status, headers } = headOf(parsed.data, 'application/octet-stream');
    return { head: { status, headers: [...headers, ...cookies] }, rest: seen.subarray(end + delimiter.length) };
  };
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    // Malformed is answered like anything else that is no response.
    return undefined;
  }
}

/** Whether a media type is among the API's binary ones. `type` may carry parameters. */
export function isBinaryType(binaryMediaTypes: readonly string[], type: string | undefined): boolean {
  const asked = (type ?? '').split(/[;,]/)[0]?.trim().toLowerCase() ?? '';
  return binaryMediaTypes.some((known) => {
    const [kind = '', sub = ''] = known.toLowerCase().split('/');
    if (known === '*/*') return true;
    return sub === '*' ? asked.startsWith(`${kind}/`) : asked === known.toLowerCase();
  });
}
