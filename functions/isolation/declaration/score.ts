import type { Check, Outcome, Service } from '../check.ts';
import type { Claim, ServiceDeclaration } from './claim.ts';
import type { IsolationDeclaration } from './declaration.ts';

/** What was found longer ago than this counts for nothing, in milliseconds: two daily runs. */
export const validMs = 48 * 3_600_000;

/** A run that has ended: `VerificationResult` is one. */
export interface ScoredRun {
  /** ISO 8601. */
  readonly finishedAt: string;
  readonly checks: readonly Check[];
}

export type ClaimStatus = 'verified' | 'failed' | 'not-verified' | 'declared-only';

export interface ScoredClaim {
  readonly id: string;
  readonly status: ClaimStatus;
}

export interface ServiceScore {
  readonly service: Service;
  /** Of 100; undefined when nothing is claimed, so that there is nothing to verify. */
  readonly score: number | undefined;
  readonly claims: readonly ScoredClaim[];
  /** Checks of this service that failed, whether or not a claim names them. */
  readonly failed: readonly string[];
}

export interface IsolationScore {
  /** Of 100, rounded down: 100 only when everything that is claimed was verified. */
  readonly score: number;
  readonly services: readonly ServiceScore[];
  readonly claims: Readonly<Record<ClaimStatus, number>>;
  /** When the newest run that counts had ended, ISO 8601; undefined when there is none. */
  readonly verifiedAt?: string | undefined;
}

/**
 * How much of what is declared was shown to be so. Pure.
 *
 * A claim is verified when each check that it names has passed within 48 hours. A service's score is its verified claims by all its claims; a check of the service
 * that failed makes it 0. The tenant's score is the mean of its services'. A claim that no check shows counts in the denominator, and so does one whose check
 * could not be made: saying more raises no score, and not looking lowers it.
 *
 * @param runs the tenant's own and the daily ones, in any order
 * @param now milliseconds since the epoch
 */
export function scoreOf(declaration: IsolationDeclaration, runs: readonly ScoredRun[], now: number): IsolationScore {
  const counting = runs
    .filter(({ finishedAt }) => now - Date.parse(finishedAt) <= validMs)
    .toSorted((a, b) => Date.parse(a.finishedAt) - Date.parse(b.finishedAt));
  const outcomes = latestOutcomes(counting);
  const newest = counting.at(-1);
  const services = declaration.services.map((service) => scoreOfService(service, outcomes));
  const shares = services.flatMap((service) => shareOf(service) ?? []);
  const claims = services.flatMap((service) => service.claims);
  const count = (status: ClaimStatus): number => claims.filter((claim) => claim.status === status).length;
  return {
    score: percent(
      shares.reduce((sum, share) => sum + share, 0),
      shares.length,
    ),
    services,
    claims: {
      verified: count('verified'),
      failed: count('failed'),
      'not-verified': count('not-verified'),
      'declared-only': count('declared-only'),
    },
    ...(newest !== undefined && { verifiedAt: newest.finishedAt }),
  };
}

interface Found {
  readonly service: Service;
  readonly outcome: Outcome;
}

/**
 * What each check has come to, run after run. Only a check that passes takes a failure back; one that could not be made leaves it standing.
 *
 * @param runs the oldest first
 */
function latestOutcomes(runs: readonly ScoredRun[]): ReadonlyMap<string, Found> {
  const outcomes = new Map<string, Found>();
  for (const { checks } of runs) {
    for (const [id, found] of worstOfEach(checks)) {
      if (found.outcome !== 'not-verified' || outcomes.get(id)?.outcome !== 'failed') outcomes.set(id, found);
    }
  }
  return outcomes;
}

/** An ID stands once in a run; should it stand twice, the worse counts. */
function worstOfEach(checks: readonly Check[]): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  for (const { id, service, outcome } of checks) {
    const known = found.get(id);
    if (known === undefined || badness[outcome] > badness[known.outcome]) found.set(id, { service, outcome });
  }
  return found;
}
const badness: Readonly<Record<Outcome, number>> = { passed: 0, 'not-verified': 1, failed: 2 };

function scoreOfService({ service, claims }: ServiceDeclaration, outcomes: ReadonlyMap<string, Found>): ServiceScore {
  const scored = claims.map((claim) => ({ id: claim.id, status: statusOf(claim, outcomes) }));
  const failed = [...outcomes].flatMap(([id, found]) => (found.service === service && found.outcome === 'failed' ? [id] : []));
  const share = shareOf({ claims: scored, failed });
  return { service, score: share === undefined ? undefined : percent(share, 1), claims: scored, failed };
}

/** Verified claims by all; 0 as soon as something failed. Undefined when nothing is claimed and nothing failed. */
function shareOf({ claims, failed }: Pick<ServiceScore, 'claims' | 'failed'>): number | undefined {
  if (failed.length > 0 || claims.some(({ status }) => status === 'failed')) return 0;
  return claims.length === 0 ? undefined : claims.filter(({ status }) => status === 'verified').length / claims.length;
}

/** Rounded down; a sum of parts is a little off, and what is whole has to stay whole. */
function percent(sum: number, of: number): number {
  return of === 0 ? 0 : Math.floor((100 * sum) / of + 1e-9);
}

function statusOf({ checks }: Claim, outcomes: ReadonlyMap<string, Found>): ClaimStatus {
  if (checks.length === 0) return 'declared-only';
  const found = checks.map((id) => outcomes.get(id)?.outcome);
  if (found.includes('failed')) return 'failed';
  return found.every((outcome) => outcome === 'passed') ? 'verified' : 'not-verified';
}
