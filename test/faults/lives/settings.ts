import { z } from 'zod';
import { campaignSettings } from '../sample.ts';

const part = z
  .string()
  .regex(/^[1-9]\d{0,2}\/[1-9]\d{0,2}$/)
  .default('1/1')
  .transform((text) => {
    const [number = 1, of = 1] = text.split('/').map(Number);
    return { number, of };
  })
  .refine(({ number, of }) => number <= of, 'PART=2/4 is the second of four parts');

/** `SEED` and `COUNT` as of `campaignSettings`; `PART=2/4`: of what can go wrong once, the second of four parts, and all when left out. */
export function livesSettings(environment: Readonly<Record<string, string | undefined>>): ReturnType<typeof campaignSettings> & {
  readonly part: { readonly number: number; readonly of: number };
} {
  return { ...campaignSettings(environment), part: part.parse(environment['PART']) };
}
