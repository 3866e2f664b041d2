import type { APIGatewayProxyResult, Context } from 'aws-lambda';
import { z } from 'zod';
import { announceNamed } from '../isolation/honey/announce-named.ts';
import { tellNamedIn } from '../isolation/honey/tell-named.ts';
import { verifiedCaller } from '../sessions/admit-caller.ts';
import type { ApiEvent } from '../sessions/tenant-api.handler.ts';
import type { VerifyIdentity } from '../sessions/token-verifier.ts';
import { answer, errorAnswer, isCallersFault } from '../shared/api-answer.ts';
import { bearerOf } from '../shared/bearer-token.ts';
import { CordonError } from '../shared/errors.ts';
import { parsedBody } from '../shared/request-body.ts';
import type { TenantItem } from '../tenants/registry.ts';
import type { DoorDeps, DoorStores } from './door-deps.ts';
import { giveDoorKey } from './door-key.ts';
import type { Supplier } from './door-store.ts';
import { announceViolation } from './supply-news.ts';
import { supplySecret } from './supply-secret.ts';

export type DoorEvent = ApiEvent<'pathParameters' | 'body' | 'isBase64Encoded'>;
export type DoorHandler = (event: DoorEvent, context: Pick<Context, 'getRemainingTimeInMillis'>) => Promise<APIGatewayProxyResult>;

/** Room for the largest key there is, sealed, and in base64 once more as API Gateway may hand it over. In characters. */
const maxBody = 24 * 1024;
const supplyBody = z.strictObject({ jwe: z.string().min(1) });
/** Names nothing of what was sent: it may be the secret itself. */
const bodyRule = 'the body must be {"jwe": "…"}, a secret sealed with the public key of GET /v1/credentials/public-key, and nothing else';

/** `GET /credentials/public-key` and `POST /credentials/{credentialId}/secret`. The door verifies the caller's token itself: what it does depends on nobody's word. */
export function createHandler(deps: DoorDeps & { readonly verify: VerifyIdentity }): DoorHandler {
  return async (event, context) => {
    const log = deps.log.with({ requestId: event.requestContext.requestId });
    const known: { supplier?: Supplier } = {};
    const result = await serve({ ...deps, log }, event, deps.clock() + context.getRemainingTimeInMillis(), known);
    const { supplier } = known;
    if (supplier !== undefined) await tellNamedIn(event, (names) => announceNamed(deps.announcer, supplier, names), log);
    return result;
  };
}

/** @param known gets who asks once the token was accepted */
async function serve(
  deps: DoorDeps & { readonly verify: VerifyIdentity },
  event: DoorEvent,
  deadline: number,
  known: { supplier?: Supplier },
): Promise<APIGatewayProxyResult> {
  const { log } = deps;
  try {
    const supplier: Supplier = await verifiedCaller(deps.verify, bearerOf(event));
    known.supplier = supplier;
    const stores = await deps.openStores(supplier.tenantId);
    const tenant = await admit(stores, supplier);
    const body = await route(deps, stores, tenant, supplier, event, deadline);
    log.info('the door was used', { tenantId: supplier.tenantId, userId: supplier.userId, resource: event.resource });
    return answer(body);
  } catch (error) {
    const result = errorAnswer(error, event.requestContext.requestId);
    const fields = { tenantId: known.supplier?.tenantId, code: error instanceof CordonError ? error.code : 'UNEXPECTED' };
    if (error instanceof CordonError && isCallersFault(result)) log.warn('the door refused', { ...fields, reason: error.message });
    else log.error('the door failed', error, fields);
    if (error instanceof CordonError && error.code === 'ACCESS_REFUSED' && known.supplier)
      await announceViolation(deps, known.supplier.tenantId, error);
    return result;
  }
}

/** As for minting a session: who was a user and is one no more gets nothing, and neither does a revoked agent or session. */
async function admit({ registry, door }: DoorStores, supplier: Supplier): Promise<TenantItem> {
  const { tenantId, userId } = supplier;
  const [tenant, user, revoked] = await Promise.all([
    registry.tenant(tenantId),
    registry.user(tenantId, userId),
    door.isRevoked(tenantId, supplier),
  ]);
  if (!tenant) throw new CordonError('TENANT_UNKNOWN', 'the tenant is not onboarded');
  if (tenant.status !== 'active') throw new CordonError('TENANT_NOT_ACTIVE', `the tenant is ${tenant.status}`);
  if (user && user.status !== 'active') throw new CordonError('USER_UNKNOWN', 'the user is not an active user of the tenant');
  if (revoked) throw new CordonError('TOKEN_REFUSED', 'the agent or the session was revoked');
  return tenant;
}

function route(
  deps: DoorDeps,
  stores: DoorStores,
  tenant: TenantItem,
  supplier: Supplier,
  event: DoorEvent,
  deadline: number,
): Promise<object> {
  if (event.httpMethod === 'GET' && event.resource === '/credentials/public-key')
    return giveDoorKey({ ...deps, ...stores }, tenant, supplier);
  if (event.httpMethod === 'POST' && event.resource === '/credentials/{credentialId}/secret') {
    const credentialId = event.pathParameters?.['credentialId'] ?? '';
    return supplySecret(deps, stores, tenant, supplier, { credentialId, jwe: jweOf(event), deadline });
  }
  throw new CordonError('CALL_INVALID', 'there is no such operation');
}

function jweOf(event: DoorEvent): string {
  return parsedBody(event, supplyBody, { maxLength: maxBody, rule: bodyRule }).jwe;
}
