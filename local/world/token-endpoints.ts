/**
 * Where administrators of Google Cloud and Azure exchange what they hold for access tokens. Both check it: a signature by the service account's key, and a
 * client's secret. Sources: RFC 7523 and Google's "Using OAuth 2.0 for server to server applications"; RFC 6749, section 4.4, and Microsoft identity
 * platform, "OAuth 2.0 client credentials flow", "Error codes".
 */
import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import type { Clock } from '../core/clock.ts';
import { formOf } from './administration.ts';
import { type Answer, jsonAnswer } from './deliver.ts';
import { createKeys } from './simulated-keys.ts';
import type { SimulatedRequest } from './simulated-request.ts';

interface TokenEndpoint {
  exchange(request: SimulatedRequest, ids: readonly string[]): Answer | Promise<Answer>;
  /** Whether a token is one of its own that has not expired. */
  accepts(token: string | undefined): boolean;
  plantedSecrets(): readonly string[];
}

const tokenSeconds = 3599;
const refused = (status: number, error: string, error_description: string, more: object = {}): Answer =>
  jsonAnswer(status, { error, error_description, ...more });

/** Of the JSON file that Google's console hands out for a service account. */
interface ServiceAccount {
  readonly clientEmail: string;
  /** PKCS #8, PEM. */
  readonly privateKey: string;
  readonly privateKeyId: string;
}

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const cloudPlatformScope = 'https://www.googleapis.com/auth/cloud-platform';
/** The documented audience; the endpoint's own address is taken as well. */
const googleTokenUri = 'https://oauth2.googleapis.com/token';

/** `tokenUri` is the endpoint's own address. The service account's key pair is made when it is first asked for. */
export function createGoogleTokens(
  clock: Clock,
  tokenUri: () => string,
  projectId: string,
): TokenEndpoint & { serviceAccount(): ServiceAccount } {
  const tokens = createKeys(clock, 'ya29.');
  const clientEmail = `cordon-admin@${projectId}.iam.gserviceaccount.com`;
  const keyId = randomBytes(20).toString('hex');
  let pair: { readonly publicKey: KeyObject; readonly privateKey: string } | undefined;
  const keyPair = () => {
    if (pair === undefined) {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      pair = { publicKey, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    }
    return pair;
  };
  return {
    serviceAccount: () => ({ clientEmail, privateKey: keyPair().privateKey, privateKeyId: keyId }),
    async exchange(request) {
      const form = formOf(request);
      if (form.get('grant_type') !== jwtBearer) return refused(400, 'unsupported_grant_type', 'Invalid grant_type');
      try {
        const { payload } = await jwtVerify(form.get('assertion') ?? '', keyPair().publicKey, {
          algorithms: ['RS256'],
          issuer: clientEmail,
          audience: [googleTokenUri, tokenUri()],
          requiredClaims: ['iat', 'exp', 'scope'],
          currentDate: new Date(clock.now()),
          clockTolerance: 300,
        });
        const { iat = 0, exp = 0, scope } = payload;
        // At most an hour ("Forming the JWT claim set").
        if (exp - iat > 3600) return refused(400, 'invalid_grant', 'Invalid JWT: Token must be a short-lived token (60 minutes).');
        if (!String(scope).split(' ').includes(cloudPlatformScope)) return refused(400, 'invalid_scope', 'Invalid OAuth scope.');
      } catch (thrown) {
        if (thrown instanceof errors.JOSEError) return refused(400, 'invalid_grant', 'Invalid JWT Signature.');
        throw thrown;
      }
      const access_token = tokens.issue({ kind: 'token', expiresInSeconds: tokenSeconds });
      return jsonAnswer(200, { access_token, expires_in: tokenSeconds, token_type: 'Bearer' });
    },
    accepts: (token) => token !== undefined && tokens.accepted(token) !== undefined,
    plantedSecrets: () => [...(pair === undefined ? [] : secretLines(pair.privateKey)), ...tokens.plantedSecrets()],
  };
}

/** The lines of a PEM text that are this key's own: all keys begin and end alike. */
function secretLines(pem: string): readonly string[] {
  return pem.trim().split('\n').slice(2, -1);
}

/** An application registered in a Microsoft Entra tenant. */
interface EntraClient {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const managementScope = 'https://management.azure.com/.default';

export function createEntraTokens(clock: Clock): TokenEndpoint & { readonly client: EntraClient } {
  const tokens = createKeys(clock, 'entra.');
  const client = {
    tenantId: randomUUID(),
    clientId: randomUUID(),
    clientSecret: `${randomBytes(3).toString('hex')}~${randomBytes(24).toString('base64url')}`,
  };
  return {
    client,
    exchange(request, [tenantId = '']) {
      const form = formOf(request);
      if (tenantId !== client.tenantId)
        return refused(400, 'invalid_request', `AADSTS90002: Tenant '${tenantId}' not found.`, { error_codes: [90002] });
      if (form.get('grant_type') !== 'client_credentials')
        return refused(400, 'unsupported_grant_type', 'AADSTS70003: The app requested an unsupported grant type.', {
          error_codes: [70003],
        });
      if (form.get('client_id') !== client.clientId)
        return refused(400, 'unauthorized_client', 'AADSTS700016: Application was not found in the directory.', { error_codes: [700016] });
      if (form.get('client_secret') !== client.clientSecret)
        return refused(401, 'invalid_client', 'AADSTS7000215: Invalid client secret provided.', { error_codes: [7000215] });
      if (form.get('scope') !== managementScope)
        return refused(400, 'invalid_scope', 'AADSTS1002012: The provided value for scope is not valid.', { error_codes: [1002012] });
      const access_token = tokens.issue({ kind: 'token', expiresInSeconds: tokenSeconds });
      return jsonAnswer(200, { token_type: 'Bearer', expires_in: tokenSeconds, ext_expires_in: tokenSeconds, access_token });
    },
    accepts: (token) => token !== undefined && tokens.accepted(token) !== undefined,
    plantedSecrets: () => [client.clientSecret, ...tokens.plantedSecrets()],
  };
}
