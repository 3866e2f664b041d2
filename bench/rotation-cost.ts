import { dynamoDbUnits, prices } from './rotation-assumptions.ts';
import type { Calls } from './simulated-time.ts';

/** Runs of a function: how many, and how many seconds in all. */
export interface Runs {
  readonly count: number;
  readonly seconds: number;
  readonly memoryGb: number;
}

const dollarsOf: Readonly<Record<string, number>> = {
  'dynamodb GetItem': dynamoDbUnits.read * prices.dynamoDbRead,
  'dynamodb Query': dynamoDbUnits.read * prices.dynamoDbRead,
  'dynamodb UpdateItem': dynamoDbUnits.registryWrite * prices.dynamoDbWrite,
  'dynamodb ExecuteStatement': dynamoDbUnits.attributionInsert * prices.dynamoDbWrite,
  'events PutEvents': prices.event,
};
const dollarsByService: Readonly<Record<string, number>> = {
  secretsmanager: prices.secretsManagerCall,
  kms: prices.kmsCall,
  sqs: prices.sqsRequest,
  // Without charge: AWS's for sessions, and the administrations of providers.
  sts: 0,
  provider: 0,
};

/** Dollars for these calls. Throws for one whose price is not known. */
export function costOf(calls: Calls): number {
  let dollars = 0;
  for (const [name, times] of calls) {
    const each = dollarsOf[name] ?? dollarsByService[name.split(' ')[0] ?? ''];
    if (each === undefined) throw new Error(`no price is known for ${name}`);
    dollars += times * each;
  }
  return dollars;
}

export function costOfRuns({ count, seconds, memoryGb }: Runs): number {
  return count * prices.lambdaRequest + seconds * memoryGb * prices.lambdaGbSecond;
}
