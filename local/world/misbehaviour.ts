/** What a provider, or something in between, does wrong on demand: each a case that whoever calls providers has to survive. */
import { z } from 'zod';

export const misbehaviour = z.strictObject({
  /** Repeats the presented key in the answer, in this form. */
  echo: z.enum(['plain', 'base64', 'base64url', 'url', 'json', 'hex']).optional(),
  /** Where `echo` is put: in the body (default) or in the header `x-echo`. */
  echoIn: z.enum(['body', 'header']).optional(),
  /** Waits before the first byte, ms of real time. */
  firstByteDelayMs: z.int().min(0).optional(),
  /** Waits between the pieces of the body, ms of real time. */
  chunkGapMs: z.int().min(0).optional(),
  /** Writes the body in pieces of so many bytes. */
  chunkBytes: z.int().min(1).optional(),
  /** Ends the connection when half of the body is sent. */
  halfClose: z.boolean().optional(),
  /** Appends so many bytes of blanks to the body. */
  oversizedBytes: z.int().min(1).optional(),
  /** Compresses the body whatever was asked for. */
  compress: z.enum(['gzip', 'br', 'deflate', 'zstd', 'unknown']).optional(),
  /** Answers 302 to this place. */
  redirectTo: z.string().min(1).optional(),
  /** Takes the request and never answers. */
  hang: z.boolean().optional(),
  /** A key that was revoked is accepted for so long, ms of the cloud's clock. */
  deletionDelayMs: z.int().min(0).optional(),
  /** The administration answers 429 to more requests than this within a minute of the cloud's clock. */
  adminPerMinute: z.int().min(0).optional(),
  /** OpenAI refuses more requests than this within a minute of the cloud's clock, with 429; it refills evenly. */
  requestsPerMinute: z.int().min(1).optional(),
  /** Whose that limit is: each project's own (default), or one for all projects of the organization. */
  limitOf: z.enum(['project', 'organization']).optional(),
  /** The administration refuses to make a key (Azure OpenAI: a resource) where an owner has so many. Bedrock's limit is IAM's: two for a user. */
  maxKeys: z.int().min(0).optional(),
  /** A long-running operation (Gemini's keys, Azure OpenAI's resources) is pending for so many polls, or ten seconds of the cloud's clock. */
  pendingPolls: z.int().min(0).optional(),
});
export type Misbehaviour = z.infer<typeof misbehaviour>;

/** The key as `echo` asks for it. Base64 is of a longer text, as in an `Authorization: Basic` that was logged. */
export function echoed(form: NonNullable<Misbehaviour['echo']>, secret: string): string {
  switch (form) {
    case 'plain':
      return secret;
    case 'base64':
      return Buffer.from(`key:${secret}`).toString('base64');
    case 'base64url':
      return Buffer.from(`{"key":"${secret}"}`).toString('base64url');
    case 'url':
      return [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    case 'json':
      return [...secret].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    case 'hex':
      return Buffer.from(secret).toString('hex');
  }
}
