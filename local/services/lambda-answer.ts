/** What an invocation came to. */
export interface Answer {
  /** The handler's result as JSON, or `{errorType, errorMessage, trace}`. Of a streamed response nothing: its chunks have gone to the sink. */
  readonly payload: string;
  readonly functionError?: 'Unhandled';
  /** The response was streamed. */
  readonly streamed?: true;
}
