/** EventBridge Scheduler's HTTP binding. Source: Amazon EventBridge Scheduler API Reference. */
import { parseJsonBody } from '../core/json-protocol.ts';
import type { LocalService } from '../core/service.ts';

const operations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  schedules: { POST: 'CreateSchedule', PUT: 'UpdateSchedule', GET: 'GetSchedule', DELETE: 'DeleteSchedule' },
  'schedule-groups': { POST: 'CreateScheduleGroup', DELETE: 'DeleteScheduleGroup' },
};
const queryMembers: Readonly<Record<string, string>> = { groupName: 'GroupName', clientToken: 'ClientToken' };

export const route: NonNullable<LocalService['route']> = (method, path, query, body) => {
  const [, collection = '', name = '', ...rest] = path.split('/');
  const operation = operations[collection]?.[method];
  if (operation === undefined || name === '' || rest.length > 0) return undefined;
  const fromQuery = Object.fromEntries([...query].map(([key, value]) => [queryMembers[key] ?? key, value]));
  return { operation, input: { ...parseJsonBody(body), ...fromQuery, Name: decodeURIComponent(name) } };
};
