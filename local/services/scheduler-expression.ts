/** When a schedule is due. Source: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler". */
import { AwsError, notImplemented } from '../core/aws-error.ts';

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The milliseconds of `rate(5 minutes)`. @throws AwsError ValidationException for what is no expression, NotImplemented for `cron(…)` and `at(…)` */
export function rateOf(expression: string): number {
  if (/^(?:cron|at)\(.+\)$/.test(expression)) throw notImplemented(`the schedule expression ${expression}`);
  const [, value = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const rate = Number(value) * (unitMs[unit] ?? 0);
  if (!Number.isSafeInteger(rate) || rate <= 0) throw new AwsError('ValidationException', `Invalid Schedule Expression ${expression}.`);
  return rate;
}

/** The first time after `now` in the row of `since + n × rate`: what was missed meanwhile is not made up for. */
export function nextAt(since: number, rate: number, now: number): number {
  return since + (Math.floor((now - since) / rate) + 1) * rate;
}
