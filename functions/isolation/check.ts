/** What a tenant is kept apart in. Each is declared shared or per tenant, and verified by checks of its own. */
export const services = [
  'vault',
  'keys',
  'registry',
  'attribution',
  'sessions',
  'broker',
  'provider-accounts',
  'rotation',
  'customer-roles',
] as const;
export type Service = (typeof services)[number];

/** The five isolation tests. */
export const isolationTests = [
  'enumeration',
  'rate-limit-attribution',
  'usage-log-attribution',
  'vault-access-scope',
  'rotation-independence',
] as const;
export type IsolationTest = (typeof isolationTests)[number];

/** `not-verified`: it could not be tried, so it shows nothing. It never counts as passed. */
export const outcomes = ['passed', 'failed', 'not-verified'] as const;
export type Outcome = (typeof outcomes)[number];

/** One thing that was tried for real. */
export interface Check {
  /** Its own name, the same in every run: `vault-access-scope/read-secret`. */
  readonly id: string;
  readonly test: IsolationTest;
  readonly service: Service;
  readonly outcome: Outcome;
  /** What was tried and what came of it, in a sentence. Nothing secret, and of no tenant but the canaries and the one that asked. */
  readonly detail: string;
}
