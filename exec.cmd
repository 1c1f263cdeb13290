@rem "exec" in package.json's scripts makes POSIX shells hand their process over, so that signals sent to npm reach the
@rem server whatever shell npm uses. cmd.exe has no such command and finds this file instead.
@%*
