import { own } from './letters.ts';

const noExamples: readonly string[] = [];
/** What reads well in a counterexample: data of another tenant, of another user. */
const examples: Readonly<Record<string, readonly string[]>> = {
  resource: [
    ...['globex/openai-main-AbCdEf', `${own}/openai-main-AbCdEf`].map(
      (path) => `arn:aws:secretsmanager:us-east-1:111122223333:secret:cordon/${path}`,
    ),
    `arn:aws:iam::111122223333:role/cordon/TenantAgent-globex`,
    'arn:aws:iam::444455556666:role/cordon.globex.x1',
    'arn:aws:kms:us-east-1:111122223333:key/4b3f',
    '*',
  ],
  'kms:encryptioncontext:secretarn': ['globex', own].map(
    (tenant) => `arn:aws:secretsmanager:us-east-1:111122223333:secret:cordon/${tenant}/openai-main-AbCdEf`,
  ),
  'dynamodb:leadingkeys': ['TENANT#globex#', `TENANT#${own}#`],
  ...Object.fromEntries(
    ['aws:resourcetag/', 'aws:requesttag/', 'kms:encryptioncontext:'].flatMap((prefix) => [
      [`${prefix}tenantid`, ['globex']],
      [`${prefix}userid`, ['b'.repeat(26)]],
    ]),
  ),
};
/** What a slot's values are looked for among first. */
export const examplesOf = (name: string): readonly string[] => examples[name] ?? noExamples;
