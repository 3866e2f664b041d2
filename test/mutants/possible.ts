/** Requests that services make: what they document of their condition keys. Where policies differ on others alone, they say the same. */
import { and, type Formula, implies, not, or, type Request } from '../proofs/model/formula.ts';
import { keysAreNotEmpty, leadingKeys, secretsManagerHost } from '../proofs/model/own.ts';
import type { Translation } from '../proofs/model/translate.ts';

/** "kms:EncryptionContext:context-key" and "kms:EncryptionContextKeys" in the KMS Developer Guide. */
const withContext = ['CreateGrant', 'Decrypt', 'Encrypt', 'GenerateDataKey*', 'ReEncrypt*', 'RetireGrant'].map((name) => `kms:${name}`);
/** What Secrets Manager seals with ("Secret encryption and decryption in AWS Secrets Manager"). */
const ofSecretsManager = ['SecretARN', 'SecretVersionId'];

const names = 'kms:EncryptionContextKeys';
const contextKey = 'kms:encryptioncontext:';

/** Of the keys that the formulas of the request speak of already. */
export function possible(say: Translation, request: Request): Formula {
  const spokenOf = [...request.slots.keys()];
  const contexts = spokenOf.filter((slot) => slot.startsWith(contextKey));
  const hasNames = request.slots.has(names.toLowerCase());
  const throughSecretsManager = request.slots.has('kms:viaservice') ? say.is('kms:ViaService', 'exact', secretsManagerHost) : false;
  return and(
    ...[...contexts, ...(hasNames ? [names] : [])].map((key) => implies(say.present(key), say.asks(...withContext))),
    ...(hasNames
      ? contexts.map((key) => {
          const name = key.slice(contextKey.length);
          const listed = say.some(names, 'ignoring-case', name);
          return and(implies(say.present(key), listed), implies(listed, say.present(key)));
        })
      : []),
    ...contexts
      .filter((key) => !ofSecretsManager.some((name) => key === contextKey + name.toLowerCase()))
      .map((key) => implies(throughSecretsManager, not(say.present(key)))),
    hasNames ? implies(throughSecretsManager, say.each(names, 'exact', ...ofSecretsManager)) : true,
    issuedInOurTime(say, request),
    request.slots.has(leadingKeys.toLowerCase()) ? or(not(say.asks('dynamodb:*')), keysAreNotEmpty(say)) : true,
  );
}

/** No session is older than the services. */
function issuedInOurTime(say: Translation, request: Request): Formula {
  const key = 'aws:tokenissuetime';
  const { tests = [] } = request.slots.get(key) ?? {};
  const dates = tests.flatMap((test) => ('borders' in test ? test.borders : [])).filter((text) => Date.parse(text) > Date.UTC(2006));
  return tests.length === 0 ? true : or(not(say.present(key)), ...[...dates, '2026-01-01T00:00:00Z'].map((date) => say.holds(key, [date])));
}
