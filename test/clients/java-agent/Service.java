// What the program serves itself: HTTP with the request's first line, bytes as an echo that keeps half-closes.

import com.ngrok.Connection;
import com.ngrok.Listener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;

final class Service {
    private static final int BUFFER = 65_536;
    private static final int LONGEST_HEAD = 65_536;

    private Service() {}

    /** Until the listener is closed. */
    static void serve(final Listener.Endpoint listener, final boolean web, final ExecutorService threads) {
        while (true) {
            final Connection.Endpoint connection;
            try {
                connection = listener.accept();
            } catch (final IOException closed) {
                return;
            }
            threads.execute(() -> {
                try {
                    if (web) answer(connection);
                    else echo(connection);
                } catch (final IOException gone) {
                    // The visitor is; the SDK tells of an end of its side in the same way.
                }
                try {
                    connection.close();
                } catch (final IOException closed) {
                    // By the visitor.
                }
            });
        }
    }

    private static void answer(final Connection connection) throws IOException {
        final StringBuilder head = new StringBuilder();
        // The SDK reads into memory of its own kind alone.
        final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
        while (head.indexOf("\r\n\r\n") < 0) {
            if (head.length() > LONGEST_HEAD) throw new IOException("a head without an end");
            connection.read(buffer.clear());
            head.append(StandardCharsets.ISO_8859_1.decode(buffer));
        }
        final String[] lines = head.toString().split("\r\n");
        final String[] first = lines[0].split(" ");
        String host = "";
        for (final String line : lines)
            if (line.regionMatches(true, 0, "host:", 0, 5)) host = line.substring(5).trim();
        final String text = first[0] + " " + first[1] + " of " + host;
        write(connection, "HTTP/1.1 200 OK\r\ncontent-length: " + text.length() + "\r\nconnection: close\r\n\r\n" + text);
    }

    private static void echo(final Connection connection) throws IOException {
        final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
        while (true) {
            connection.read(buffer.clear());
            write(connection, buffer);
        }
    }

    private static void write(final Connection connection, final String text) throws IOException {
        final byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        write(connection, ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
    }

    /** The SDK writes from a buffer's beginning, wherever its position is, and may take a part of it. */
    private static void write(final Connection connection, final ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            buffer.position(connection.write(buffer));
            buffer.compact().flip();
        }
    }
}
