import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The stack that a construct is in, by whichever ID it has been given. */
export function ownStackArn(construct: IConstruct): string {
  const stack = Stack.of(construct);
  const resourceName = `${stack.stackName}/*`;
  return stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
}
