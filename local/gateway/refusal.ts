/**
 * What API Gateway answers itself, without or instead of the integration: gateway responses. Source: API Gateway Developer Guide, "Gateway
 * responses in API Gateway", "Gateway response types".
 */
import { evaluateExpression, fillTemplate } from '../services/apigateway-expressions.ts';
import { type GatewayResponseType, gatewayResponseDefaults, type Snapshot } from '../services/apigateway-model.ts';
import type { RequestFacts } from './request-context.ts';

/** Ends a request; `status` where the type has none of its own. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly type: GatewayResponseType;
  readonly status: number;

  constructor(type: GatewayResponseType, message: string, status?: number) {
    super(message);
    this.type = type;
    this.status = status ?? defaultStatus(type);
  }
}

/** A function that failed, or answered what is no answer: nobody learns why. */
export const badGateway = (): Refusal => new Refusal('DEFAULT_5XX', 'Internal server error', 502);
export const misconfigured = (): Refusal => new Refusal('API_CONFIGURATION_ERROR', 'Internal server error');

function defaultStatus(type: GatewayResponseType): number {
  if (type === 'DEFAULT_4XX') return 400;
  return type === 'DEFAULT_5XX' ? 500 : gatewayResponseDefaults[type];
}

/** A customized type wins over the customized default of its class, and that over API Gateway's own. */
export function renderRefusal(
  refusal: Refusal,
  snapshot: Snapshot,
  facts: RequestFacts,
): { status: number; headers: Record<string, string>; body: string } {
  const fallback = snapshot.responses.get(refusal.status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
  const own = snapshot.responses.get(refusal.type) ?? fallback;
  const status = own?.statusCode ?? refusal.status;
  const context = (name: string): string | undefined => {
    if (name === 'error.message') return refusal.message;
    if (name === 'error.responseType') return refusal.type;
    return name === 'status' ? String(status) : facts.context(name);
  };
  const [contentType, template] = Object.entries(own?.templates ?? {})[0] ?? [
    'application/json',
    '{"message":$context.error.messageString}',
  ];
  const headers = Object.entries(own?.headers ?? {}).flatMap(([name, expression]) => {
    const value = evaluateExpression(expression, { ...facts, context });
    return value === undefined ? [] : [[name, value] as const];
  });
  return { status, headers: { 'content-type': contentType, ...Object.fromEntries(headers) }, body: fillTemplate(template, context) };
}
