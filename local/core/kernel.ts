/** The way every call takes, whoever makes it: injected fault, IAM decision, journal, then the service's work. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decision } from '../iam/policy.ts';
import type { RequestContext } from '../iam/request-context.ts';
import { makeAdmin } from './account-admin.ts';
import { notImplemented } from './aws-error.ts';
import { awsManagedPolicies } from './aws-managed-policies.ts';
import type { Clock } from './clock.ts';
import { accessDenied, contextOf, decide, statementOf } from './decide.ts';
import type { FaultTable } from './faults.ts';
import { answerLost, beforeWork, createFaultTable } from './faults.ts';
import type { IdentityStore } from './identity-store.ts';
import { createIdentityStore } from './identity-store.ts';
import type { Journal } from './journal.ts';
import { createJournal } from './journal.ts';
import { createListeners } from './listeners.ts';
import { createPrincipals } from './principals.ts';
import type { Caller, Kernel, LocalService, Need, Scope } from './service.ts';
import type { KnownCredentials } from './sigv4.ts';

export interface AccountKeys {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface IdleOptions {
  /** Leaves out what only waits for the clock. */
  readonly exceptWaiting?: boolean;
}

/** One question to IAM, and the answer. */
export interface Asked {
  readonly caller: Caller;
  readonly need: Need;
  readonly context: RequestContext;
  readonly decision: Decision;
}

/** A call that is over, as CloudTrail sees it. */
export interface MadeCall {
  readonly caller: Caller;
  readonly service: string;
  readonly operation: string;
  /** It may hold a secret: who listens keeps what may be shown. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Undefined when it failed. */
  readonly result: Readonly<Record<string, unknown>> | undefined;
  readonly error: unknown;
  readonly accountId: string;
  readonly region: string;
  readonly requestId: string;
}

interface CallOptions {
  readonly accountId?: string;
  /** The HTTP front's, so that an answer's request ID is the journal's. */
  readonly requestId?: string;
  /** The Region whose endpoint is called; the cloud's own when left out. */
  readonly region?: string;
}

export interface LocalKernel extends Kernel {
  call(caller: Caller, signingName: string, operation: string, input: object, options?: CallOptions): Promise<Record<string, unknown>>;
  readonly journal: Journal;
  readonly faults: FaultTable;
  /** For the IAM and STS services only; everybody else makes principals by calling these. */
  readonly identities: IdentityStore;
  /** Whoever sends a request without signature; see `LocalService.takesUnsigned`. */
  anonymousCaller(): Caller;
  register(service: LocalService): void;
  service(signingName: string): LocalService | undefined;
  services(): readonly LocalService[];
  /** Makes the account with its IAM user `admin`, who may do everything. Answers the same keys when called again. */
  addAccount(accountId: string): AccountKeys;
  /** Account IDs, the platform's first. */
  accounts(): readonly string[];
  /** Also of expired sessions, so that these can be told from unknown keys. */
  secretOf(accessKeyId: string): KnownCredentials | undefined;
  /**
   * When a `crash` fault has hit, `listener` gets the caller's access key and then, for a session, the one it was assumed with, and so on. Answers the way to
   * stop listening.
   */
  onCrash(listener: (accessKeyId: string) => void): () => void;
  /** `listener` gets whatever IAM is asked, with all that it decides by: the journal keeps less. Answers the way to stop listening. */
  onDecision(listener: (asked: Asked) => void): () => void;
  /** Tells `listener` of every call that was made, by whomever, whatever came of it. Answers the way to stop listening. */
  onCall(listener: (call: MadeCall) => void): () => void;
  /**
   * Resolves to true when no service is busy (with `exceptWaiting`: when nothing happens any more until the clock moves), or to false after `timeoutMs` of
   * real time.
   */
  idle(timeoutMs: number, options?: IdleOptions): Promise<boolean>;
  close(): Promise<void>;
}

/** `accountId` is the platform's (default 111122223333); it has no `admin` user unless `addAccount` is asked for one. Region default us-east-1. */
export function createKernel(options: {
  clock: Clock;
  region?: string;
  accountId?: string;
  customerAccountIds?: readonly string[];
}): LocalKernel {
  const { clock, region = 'us-east-1', accountId: platformAccountId = '111122223333' } = options;
  const identities = createIdentityStore(awsManagedPolicies);
  const principals = createPrincipals(identities, clock);
  const services = new Map<string, LocalService>();
  const faults = createFaultTable();
  const journal = createJournal();
  const crashes = createListeners<string>();
  const madeCalls = createListeners<MadeCall>();
  const decisions = createListeners<Asked>();

  const authorize = (service: LocalService, operation: string, scope: Omit<Scope, 'authorize' | 'callVia'>, need: Need): Decision => {
    const { caller, requestId } = scope;
    const decision = decide(principals, caller, need, scope);
    decisions.tell(() => ({ caller, need, context: contextOf(principals, caller, need, scope), decision }));
    journal.record({
      at: new Date(clock.now()).toISOString(),
      principal: caller.principal.arn,
      tags: caller.tags,
      action: need.action,
      resource: need.resource,
      decision: decision.allowed ? 'allow' : 'deny',
      statement: statementOf(decision),
      requestId,
      service: service.signingName,
      operation,
    });
    if (!decision.allowed) throw accessDenied(service, caller, need, decision);
    return decision;
  };

  const call: LocalKernel['call'] = async (caller, signingName, operationName, input, callOptions) => {
    const service = services.get(signingName);
    const operation =
      service !== undefined && Object.hasOwn(service.operations, operationName) ? service.operations[operationName] : undefined;
    if (service === undefined || operation === undefined) throw notImplemented(`${signingName}:${operationName}`);
    const fault = faults.match(signingName, operationName);
    await beforeWork(fault);

    const requestId = callOptions?.requestId ?? randomUUID();
    const facts = {
      caller,
      accountId: callOptions?.accountId ?? caller.accountId,
      region: callOptions?.region ?? region,
      requestId,
      clock,
    };
    const isDuplicate = fault?.mode === 'duplicate';
    const scope: Scope = {
      ...facts,
      ...(isDuplicate && service.deliversTwice === true ? { deliverTwice: true } : {}),
      authorize: (need) => authorize(service, operationName, facts, need),
      callVia: (via, viaOperation, viaInput) => call(onBehalf(caller, signingName, region), via, viaOperation, viaInput, callOptions),
    };
    const members = Object.fromEntries(Object.entries(input));
    const tell = (result: MadeCall['result'], error?: unknown): void => {
      const { accountId, region, requestId } = facts;
      madeCalls.tell(() => ({
        caller,
        service: signingName,
        operation: operationName,
        input: members,
        result,
        error,
        accountId,
        region,
        requestId,
      }));
    };
    const work = async (): Promise<Record<string, unknown>> => {
      let result: Record<string, unknown>;
      try {
        const needs = operation.needs(members, scope);
        for (const need of needs) scope.authorize(need);
        if (needs.length === 0) recordFree(service, operationName, facts);
        result = Object.fromEntries(Object.entries(await operation.run(members, scope)));
      } catch (error) {
        tell(undefined, error);
        throw error;
      }
      tell(result);
      return result;
    };
    const result = await work();
    if (fault?.mode === 'after') throw answerLost();
    if (fault?.mode === 'crash') {
      // A worker holds its own role's keys; the call may have been made in a session that it assumed with them.
      for (let key: string | undefined = caller.accessKeyId; key !== undefined; key = identities.sessions.get(key)?.assumedWith)
        crashes.tell(() => key);
      throw answerLost();
    }
    return isDuplicate && service.deliversTwice !== true ? await work() : result;
  };

  /** A call that needs no permission (GetCallerIdentity) is on record too. */
  const recordFree = (service: LocalService, operation: string, scope: Pick<Scope, 'caller' | 'requestId'>): void => {
    journal.record({
      at: new Date(clock.now()).toISOString(),
      principal: scope.caller.principal.arn,
      tags: scope.caller.tags,
      action: `${service.signingName}:${operation}`,
      resource: '*',
      decision: 'allow',
      statement: 'needs no permission',
      requestId: scope.requestId,
      service: service.signingName,
      operation,
    });
  };

  const addAccount = (accountId: string): AccountKeys => {
    const account = identities.addAccount(accountId);
    const existing = [...identities.keys.values()].find(({ user }) => user === account.users.get('admin'));
    const key = existing ?? makeAdmin(identities, accountId, new Date(clock.now()));
    return { accountId, accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey };
  };

  identities.addAccount(platformAccountId);
  for (const id of options.customerAccountIds ?? []) addAccount(id);

  return {
    clock,
    region,
    accountId: platformAccountId,
    journal,
    faults,
    identities,
    call,
    rootCaller: principals.rootCaller,
    serviceCaller: principals.serviceCaller,
    callerOf: principals.callerOf,
    anonymousCaller: principals.anonymousCaller,
    register(service) {
      if (services.has(service.signingName)) throw new Error(`the service ${service.signingName} is registered twice`);
      services.set(service.signingName, service);
    },
    service: (signingName) => services.get(signingName),
    services: () => [...services.values()],
    addAccount,
    accounts: () => [...identities.accounts.keys()],
    secretOf(accessKeyId) {
      return identities.keys.get(accessKeyId) ?? identities.sessions.get(accessKeyId);
    },
    onCrash: crashes.add,
    onCall: madeCalls.add,
    onDecision: decisions.add,
    async idle(timeoutMs, { exceptWaiting = false } = {}) {
      const deadline = performance.now() + timeoutMs;
      const isBusy = (service: LocalService): boolean => ((exceptWaiting ? service.working?.() : undefined) ?? service.busy?.()) === true;
      // Work hops between services (queue to function): a cloud is idle when it was so on several looks in a row.
      for (let quietLooks = 0; quietLooks < 3; ) {
        quietLooks = [...services.values()].some(isBusy) ? 0 : quietLooks + 1;
        if (quietLooks < 3 && performance.now() > deadline) return false;
        if (quietLooks < 3) await sleep(3);
      }
      return true;
    },
    async close() {
      // In reverse: what was made last uses what was made before it.
      for (const service of [...services.values()].reverse()) await service.close?.();
    },
  };
}

/** The same caller in a forward access session: its own policies decide, and the service is named ("Forward access sessions"). */
function onBehalf(caller: Caller, signingName: string, region: string): Caller {
  const earlier = caller.context?.['aws:CalledVia'] ?? [];
  const host = `${signingName}.amazonaws.com`;
  const calledVia = [...(typeof earlier === 'string' ? [earlier] : earlier), host];
  const context = {
    ...caller.context,
    'aws:ViaAWSService': 'true',
    'aws:CalledVia': calledVia,
    'aws:CalledViaFirst': calledVia[0] ?? host,
    'aws:CalledViaLast': host,
    'kms:ViaService': `${signingName}.${region}.amazonaws.com`,
  };
  return { ...caller, context };
}
