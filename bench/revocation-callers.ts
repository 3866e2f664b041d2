/** Agents of many tenants that call a provider through the broker, each tenant's in an environment of its own that is warm. */
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCloud } from '../test/support/cloud.ts';

const body = Buffer.from(JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'Say hello.' }] }));

export interface Callers {
  /** Milliseconds that each successful call has taken so far. */
  readonly times: readonly number[];
  /** What was answered to calls that were no success although nothing of the tenant's was revoked. */
  readonly failures: readonly string[];
  /** From now on the tenant's agent calls without a pause, until it is refused: resolves then, with the moment of the answer (`performance.now()`). */
  untilRefused(tenantId: string): Promise<number>;
  stop(): Promise<void>;
}

/** @param everyMs how long an agent waits between two calls */
export async function startCallers({ cloud }: TestCloud, tenantIds: readonly string[], everyMs: number): Promise<Callers> {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port, pathname } = new URL(`${cloud.brokerUrl}/v1/proxy/openai/chat/completions`);
  const hurried = new Map<string, PromiseWithResolvers<number>>();
  const wake = new Map<string, () => void>();
  const gone = new Set<string>();
  let on = true;
  const times: number[] = [];
  const failures: string[] = [];

  function call(token: string): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((done, broken) => {
      const headers = { 'content-type': 'application/json', 'content-length': body.length, authorization: `Bearer ${token}` };
      const request = httpRequest({ agent, hostname, port, path: pathname, method: 'POST', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () => done({ status: response.statusCode ?? 0, text }));
      });
      request.on('error', broken);
      request.end(body);
    });
  }

  async function run(tenantId: string): Promise<void> {
    const names = { userId: 'ana', agentId: 'agent-1', sessionId: 'session-1' };
    const awake = Promise.withResolvers<void>();
    wake.set(tenantId, awake.resolve);
    const token = await cloud.oidc.mint({ tenantId, ...names, expiresIn: 86_400 });
    while (on && !gone.has(tenantId)) {
      const begun = performance.now();
      const { status, text } = await call(token);
      const waiting = hurried.get(tenantId);
      if (status === 200) times.push(performance.now() - begun);
      else if (waiting === undefined) failures.push(`${tenantId}: ${status} ${text.slice(0, 200)}`);
      if (waiting === undefined) await Promise.race([sleep(everyMs), awake.promise]);
      else if (status === 401 || status === 403) {
        gone.add(tenantId);
        waiting.resolve(performance.now());
      }
    }
  }

  const running = tenantIds.map(run);
  // Everybody has an environment before anything is measured.
  while (times.length < tenantIds.length * 3) await sleep(100);
  times.length = 0;
  failures.length = 0;
  return {
    times,
    failures,
    untilRefused(tenantId) {
      const waiting = Promise.withResolvers<number>();
      hurried.set(tenantId, waiting);
      wake.get(tenantId)?.();
      return waiting.promise;
    },
    async stop() {
      on = false;
      await Promise.all(running);
      agent.destroy();
    },
  };
}
