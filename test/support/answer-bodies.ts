import type { AnswerBody } from '../../functions/broker/upstream.ts';

/** All that a body hands over. */
export async function bytesOf(body: AnswerBody): Promise<Buffer> {
  const pieces: Buffer[] = [];
  await body.read((piece) => void pieces.push(piece));
  return Buffer.concat(pieces);
}

/** A body that is there already. */
export function bodyWith(bytes: Buffer): AnswerBody {
  return {
    async read(take) {
      await take(bytes);
    },
    stop: () => undefined,
  };
}
