/**
 * Workload identity federation as OpenAI and Anthropic offer it: a rule says whose identity tokens are exchanged, and only a token that its issuer signed, for the right
 * audience and subject, is. Sources: RFC 8693, RFC 7523; OpenID Connect Discovery 1.0 (where the issuer's keys are).
 */
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';

/** As an administrator of the provider's organization registers it. */
export interface TrustRule {
  /** OpenAI: the identity provider's ID; Anthropic: the federation rule's. */
  readonly ruleId: string;
  readonly issuer: string;
  readonly audience: string;
  /** Undefined: any subject. */
  readonly subject?: string;
  /** Claims besides, each equal to this. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface Federation {
  trust(rule: TrustRule): void;
  /** True when the token is one that the rule names. */
  accepts(ruleId: string, token: string): Promise<boolean>;
}

const discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });

export function createFederation(clock: Clock): Federation {
  const rules = new Map<string, TrustRule>();
  const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();
  const keysOf = async (issuer: string): Promise<ReturnType<typeof createRemoteJWKSet>> => {
    const known = keySets.get(issuer);
    if (known !== undefined) return known;
    const document = discovery.parse(await (await fetch(`${issuer}/.well-known/openid-configuration`)).json());
    if (document.issuer !== issuer) throw new errors.JWTClaimValidationFailed('the discovery document is of another issuer', {}, 'iss');
    const made = createRemoteJWKSet(new URL(document.jwks_uri));
    keySets.set(issuer, made);
    return made;
  };
  return {
    trust: (rule) => {
      rules.set(rule.ruleId, rule);
    },
    async accepts(ruleId, token) {
      const rule = rules.get(ruleId);
      try {
        if (rule === undefined || decodeJwt(token).iss !== rule.issuer) return false;
        const { payload } = await jwtVerify(token, await keysOf(rule.issuer), {
          issuer: rule.issuer,
          audience: rule.audience,
          ...(rule.subject !== undefined && { subject: rule.subject }),
          algorithms: ['RS256', 'ES256', 'ES384'],
          currentDate: new Date(clock.now()),
        });
        return Object.entries(rule.claims ?? {}).every(([name, value]) => JSON.stringify(payload[name]) === JSON.stringify(value));
      } catch (error) {
        if (error instanceof errors.JOSEError) return false;
        throw error;
      }
    },
  };
}
