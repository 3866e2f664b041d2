import { FilterLogEventsCommand, type FilterLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import { aws } from '../../functions/shared/aws-errors.ts';
import type { Cloud } from '../cloud/cloud.ts';

/**
 * What lies in the event log since, as it was written, oldest first.
 *
 * @param doing for the error: `reading the event log`
 * @param term that the text has to have; as of CloudWatch Logs, "Filter pattern syntax"
 * @param startTime milliseconds since the epoch
 * @throws CordonError as `aws`
 */
export async function* logMessages(
  { logs, eventLogGroup: logGroupName }: Pick<Cloud, 'logs' | 'eventLogGroup'>,
  doing: string,
  term: string,
  startTime: number,
): AsyncIterable<string> {
  const filterPattern = JSON.stringify(term);
  let nextToken: string | undefined;
  do {
    const page: FilterLogEventsCommandOutput = await aws(doing, () =>
      logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern, startTime, nextToken })),
    );
    for (const { message = '' } of page.events ?? []) yield message;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}
