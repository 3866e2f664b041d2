/** The world of lives: the local cloud on a clock that stands, its functions in this process, and one line that every call of theirs passes, one at a time. */
import { monotonicFactory } from 'ulid';
import { z } from 'zod';
import { trustedIssuer } from '../../../functions/sessions/env.ts';
import type { VerifyIdentity } from '../../../functions/sessions/token-verifier.ts';
import { fingerprintOf } from '../../../local/world/openai-organization.ts';
import { closeCloud, type TestCloud, testCloud } from '../../support/cloud.ts';
import { verifierBy } from '../../support/front-functions.ts';
import { cutOffTrade } from '../../support/revocation-worker.ts';
import { sweepTradeOf } from '../../support/sweep-worker.ts';
import type { TroubledLine } from '../../support/troubled-line.ts';
import { createTurns } from '../../support/turns.ts';
import type { Trade } from '../../support/worker-craft.ts';
import { openWorkerHouse, type WorkerHouse } from '../../support/worker-house.ts';
import { type Chance, createChance } from './chance.ts';
import { type Mail, openMail } from './mail.ts';
import { openStaff, type Staff } from './staff.ts';
import { createStillClock } from './still-clock.ts';
import { createWitness, type Witness } from './witness.ts';

export interface LifeWorld {
  readonly test: TestCloud;
  readonly chance: Chance;
  readonly house: WorkerHouse;
  readonly line: TroubledLine;
  readonly staff: Staff;
  readonly mail: Mail;
  readonly witness: Witness;
  readonly sweep: Trade;
  /** As the authorizer of the API does it. */
  readonly verify: VerifyIdentity;
  fingerprintOf(key: string): string;
  /** The names that a provider has for the key with this fingerprint. */
  namesOf(provider: string, fingerprint: string): readonly string[];
  /** Until nothing happens any more but by the clock or by a delivery. */
  calm(): Promise<void>;
  close(): Promise<void>;
}

const named = z.array(z.looseObject({ name: z.string(), fingerprint: z.string() }));
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** Nothing of another provider is ever due here, so that the sweep does not look there. */
const shardsHere = /^(\d+|revocation#\d|under-way#\d|(openai|azure-openai|anthropic)#\d)$/;

/** Each worker has clients of its own, whose connections outlive it: in a minute there would be more of them than a process may have. */
const keepAliveMs = 5000;

/** A cloud of its own; there is one at a time. */
export async function openWorld(seed: number): Promise<LifeWorld> {
  const test = await testCloud({ clock: createStillClock(), keepAliveMs });
  const { cloud } = test;
  const chance = createChance(seed);
  const turns = createTurns(new URL(cloud.endpoint).host, chance.next);
  const witness = createWitness(cloud);
  const isNamed = (name: string): boolean =>
    [cloud.functionArns['sessions'], cloud.functionArns['sessions']?.split(':').at(-1)].includes(name);
  const house = openWorkerHouse(cloud, {
    turns,
    before: witness.watch,
    async meanwhile() {
      await mail.deliverOf(cutOffTrade);
    },
    idsOf(clock) {
      const next = monotonicFactory(chance.next);
      return () => next(clock());
    },
    invoke: (name, payload) => (isNamed(name) ? () => staff.mint(payload) : undefined),
  });
  const keys = keySet.parse(await (await fetch(cloud.oidc.jwksUri)).json());
  const staff = openStaff(cloud, house, turns, keys);
  const calm = async (): Promise<void> => {
    const isBusy = (): boolean => cloud.kernel.services().some((service) => (service.working?.() ?? service.busy?.()) === true);
    for (let quiet = 0; quiet < 3; quiet = isBusy() ? 0 : quiet + 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const mail = await openMail(cloud, staff, { calm, choose: chance.next, begins: (tenantId) => witness.begins({ tenantId }) });
  return {
    fingerprintOf,
    namesOf: (provider, fingerprint) =>
      named.parse(cloud.world.simulators[provider]?.keys() ?? []).flatMap((key) => (key.fingerprint === fingerprint ? [key.name] : [])),
    ...{ test, chance, house, line: house.line, staff, mail, witness, calm },
    verify: verifierBy(
      keys,
      [trustedIssuer.parse({ issuer: cloud.oidc.issuer, audiences: [cloud.oidc.audience], jwksUri: cloud.oidc.jwksUri })],
      cloud.clock.now,
    ),
    sweep: sweepTradeOf((shard) => shardsHere.test(shard)),
    async close() {
      witness.close();
      turns.close();
      await closeCloud();
    },
  };
}
