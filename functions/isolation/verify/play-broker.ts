import { SecretText } from '../../shared/secret-text.ts';
import { canaryEnvironments } from '../canaries.ts';
import type { Check, IsolationTest, Service } from '../check.ts';
import type { BrokerAnswer } from './broker-client.ts';
import { notUsed } from './play-usage-log.ts';
import type { Stage } from './stage.ts';

/** What a client of the broker can try: another's credential by its name, a token that names another, none at all. */
export async function playBroker(stage: Stage, marker: string): Promise<readonly Check[]> {
  const { a, b, broker } = stage;
  const use = (token: SecretText | undefined, environment: string, what: string): Promise<BrokerAnswer> =>
    broker.use(token, { environment, marker: `${marker}-${what}` });
  const forged = new SecretText(withOtherTenant(a.token.reveal(), a.tenantId, b.tenantId));
  const [own, others, nobodys, without, changed, minted] = [
    await use(a.token, canaryEnvironments.a, 'own'),
    await use(a.token, canaryEnvironments.b, 'others'),
    await use(a.token, 'canary-nobodys', 'nobodys'),
    await use(undefined, canaryEnvironments.a, 'without'),
    await use(forged, canaryEnvironments.b, 'changed'),
    await stage.mints(forged),
  ];
  const works = own.status === 200;
  const make =
    (id: string, test: IsolationTest, service: Service) =>
    (outcome: Check['outcome'], detail: string): Check => ({ id: `${test}/${id}`, test, service, outcome, detail });
  return [
    guess(make('others-environment', 'enumeration', 'broker'), { works, own, others, nobodys, tenantId: a.tenantId }),
    unauthorized(make('without-token', 'enumeration', 'broker'), 'A call without a token', {
      works,
      own,
      answer: without,
      tenantId: a.tenantId,
    }),
    unauthorized(make('changed-token', 'vault-access-scope', 'broker'), `A token of ${a.tenantId} in which another tenant was written`, {
      ...{ works, own, answer: changed, tenantId: a.tenantId },
    }),
    mintedBy(make('changed-token-session', 'vault-access-scope', 'sessions'), minted, a.tenantId),
  ];
}

type Say = (outcome: Check['outcome'], detail: string) => Check;
interface Tried {
  readonly works: boolean;
  readonly own: BrokerAnswer;
  readonly tenantId: string;
}

/** What another tenant has, and what nobody has, has to look the same. */
function guess(
  say: Say,
  { works, own, others, nobodys, tenantId }: Tried & { readonly others: BrokerAnswer; readonly nobodys: BrokerAnswer },
): Check {
  if (others.status >= 200 && others.status < 300)
    return say('failed', `${tenantId} asked for the credential of the other canary and was served.`);
  if (!works || others.status === 0 || others.status >= 500 || nobodys.status === 0)
    return say('not-verified', notUsed(tenantId, works ? others : own));
  return others.status === nobodys.status && others.code === nobodys.code
    ? say(
        'passed',
        `A credential that only the other canary has is answered as one that nobody has: HTTP ${others.status} ${others.code ?? ''}.`,
      )
    : say(
        'failed',
        `A credential that the other canary has is answered with HTTP ${others.status} ${others.code ?? ''}, one that nobody has with ${nobodys.status} ${nobodys.code ?? ''}.`,
      );
}

function unauthorized(say: Say, what: string, { works, own, answer, tenantId }: Tried & { readonly answer: BrokerAnswer }): Check {
  if (answer.status >= 200 && answer.status < 300) return say('failed', `${what} was served.`);
  if (answer.status !== 401 && answer.status !== 403) return say('not-verified', `${what} was answered with HTTP ${answer.status}.`);
  return works
    ? say('passed', `${what} was answered with HTTP ${answer.status}; the token as it was given out is served.`)
    : say('not-verified', notUsed(tenantId, own));
}

function mintedBy(say: Say, answer: 'minted' | 'refused' | 'no-answer', tenantId: string): Check {
  const what = `A token of ${tenantId} in which another tenant was written`;
  if (answer === 'minted') return say('failed', `${what} got a session.`);
  return answer === 'refused'
    ? say('passed', `${what} gets no session; as it was given out it does.`)
    : say('not-verified', `${what} was not answered.`);
}

/** The token with another tenant in its claims, under the signature it had. */
export function withOtherTenant(token: string, own: string, other: string): string {
  const [header = '', claims = '', ...rest] = token.split('.');
  const changed = Buffer.from(claims, 'base64url').toString('utf8').replaceAll(own, other);
  return [header, Buffer.from(changed).toString('base64url'), ...rest].join('.');
}
