/** What a managed certificate's row says of tries when none is under way and none has failed. */
export const NO_TRY = {
  attempts: 0,
  retriesAt: '',
  errorCode: '',
  message: '',
  startedAt: '',
  holder: '',
  heldUntil: '',
} as const;
