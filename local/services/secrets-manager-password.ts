/** GetRandomPassword. Source: AWS Secrets Manager API Reference, GetRandomPassword. */
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation } from '../core/service.ts';
import { operation } from './typed-operation.ts';

const flag = z.boolean().default(false);

export const passwordOperation: Operation = operation(
  z.strictObject({
    PasswordLength: z.number().int().min(1).max(4096).default(32),
    ExcludeCharacters: z.string().default(''),
    ExcludeNumbers: flag,
    ExcludePunctuation: flag,
    ExcludeUppercase: flag,
    ExcludeLowercase: flag,
    IncludeSpace: flag,
    RequireEachIncludedType: z.boolean().default(true),
  }),
  {
    needs: () => [{ action: 'secretsmanager:GetRandomPassword', resource: '*' }],
    run(input) {
      const types = [
        input.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
        input.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
        input.ExcludeNumbers ? '' : '0123456789',
        input.ExcludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
        input.IncludeSpace ? ' ' : '',
      ].flatMap((characters) => {
        const left = [...characters].filter((character) => !input.ExcludeCharacters.includes(character));
        return left.length === 0 ? [] : [left];
      });
      const all = types.flat();
      const required = input.RequireEachIncludedType ? types : [];
      if (all.length === 0 || required.length > input.PasswordLength) {
        throw new AwsError(
          'InvalidParameterException',
          'The password cannot be made: too few characters are left, or it is too short for each type.',
        );
      }
      const password = Array.from({ length: input.PasswordLength }, (_, index) => pick(required[index] ?? all));
      for (let last = password.length - 1; last > 0; last--) {
        const other = randomInt(last + 1);
        [password[last], password[other]] = [password[other] ?? '', password[last] ?? ''];
      }
      return { RandomPassword: password.join('') };
    },
  },
);

function pick(characters: readonly string[]): string {
  return characters[randomInt(characters.length)] ?? '';
}
