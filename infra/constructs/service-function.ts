import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  type Grant,
  type IGrantable,
  type IManagedPolicy,
  type IPrincipal,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime, type TenancyConfig, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundled } from '../bundle.ts';

export interface ServiceFunctionProps {
  /** The composition root, relative to `functions/`, e.g. `sessions/mint-session.lambda.ts`. */
  readonly entry: string;
  /** What stands in the code under these names, for what is too large for an environment. @default - nothing */
  readonly values?: Readonly<Record<string, unknown>>;
  /** What the function's `env.ts` asks for; give the type, so that a missing name fails the build. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the role may do besides its logs and traces. */
  readonly statements: readonly PolicyStatement[];
  /** The most the role can ever do. */
  readonly boundary: IManagedPolicy;
  /** @default 30 seconds */
  readonly timeout?: Duration;
  /** One execution environment per tenant, never shared. @default - shared */
  readonly tenancy?: TenancyConfig;
  /** MiB. @default 512 */
  readonly memorySize?: number;
  /** The most runs there may be at a time. @default - as many as the account has room for */
  readonly reservedConcurrency?: number;
}

/** One Lambda function as Cordon runs them all: Node 24, arm64, one ESM bundle with its SDK clients, a role and a log group of its own. */
export class ServiceFunction extends Construct implements IGrantable {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;
  readonly timeout: Duration;
  readonly reservedConcurrency: number | undefined;

  constructor(parent: Construct, id: string, props: ServiceFunctionProps) {
    super(parent, id);
    this.timeout = props.timeout ?? Duration.seconds(30);
    this.reservedConcurrency = props.reservedConcurrency;
    this.logGroup = new LogGroup(this, 'Logs', { retention: RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.RETAIN });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      permissionsBoundary: props.boundary,
      inlinePolicies: {
        Function: new PolicyDocument({
          minimize: false,
          statements: [
            new PolicyStatement({
              sid: 'WriteOwnLogs',
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [this.logGroup.logGroupArn],
            }),
            // Written here and not by the construct, so that the wildcard has its reason: X-Ray knows no resource for these two.
            new PolicyStatement({ sid: 'WriteTraces', actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], resources: ['*'] }),
            ...props.statements,
          ],
        }),
      },
    });
    this.function = new LambdaFunction(this, 'Function', {
      code: bundled(props.entry, props.values),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role: this.role.withoutPolicyUpdates(),
      logGroup: this.logGroup,
      tracing: Tracing.ACTIVE,
      timeout: this.timeout,
      memorySize: props.memorySize ?? 512,
      environment: { ...props.environment },
      ...(props.tenancy && { tenancyConfig: props.tenancy }),
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
  }

  get grantPrincipal(): IPrincipal {
    return this.role;
  }

  /** For a policy that is written out as a whole: whoever has it may call this function. */
  invokeStatement(sid: string): PolicyStatement {
    return new PolicyStatement({ sid, actions: ['lambda:InvokeFunction'], resources: [this.function.functionArn] });
  }

  grantInvoke(grantee: IGrantable): Grant {
    return this.function.grantInvoke(grantee);
  }
}
