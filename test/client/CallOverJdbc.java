// CALL over JDBC, as applications and schedulers of the Java world do it: CallOverJdbc DATABASE (jdbc.cpp runs it).
// Prints what goes wrong, a line each.

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import javax.net.SocketFactory;

public class CallOverJdbc {
  // The test's server listens on a socket in the file system only, the driver knows TCP.
  public static class ServerSocketFile extends SocketFactory {
    @Override
    public Socket createSocket() throws IOException {
      SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      return new Socket() {
        @Override
        public void connect(SocketAddress ignored, int timeout) throws IOException {
          channel.connect(UnixDomainSocketAddress.of(System.getenv("PGHOST") + "/.s.PGSQL." + System.getenv("PGPORT")));
        }
        @Override
        public InputStream getInputStream() {
          return Channels.newInputStream(channel);
        }
        @Override
        public OutputStream getOutputStream() {
          return Channels.newOutputStream(channel);
        }
        @Override
        public void close() throws IOException {
          channel.close();
        }
        @Override
        public void setTcpNoDelay(boolean on) {}
        @Override
        public void setKeepAlive(boolean on) {}
        @Override
        public void setSoTimeout(int timeout) {}
        @Override
        public int getSoTimeout() {
          return 0;
        }
      };
    }
    @Override
    public Socket createSocket(String host, int port) {
      throw new UnsupportedOperationException();
    }
    @Override
    public Socket createSocket(String host, int port, java.net.InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }
    @Override
    public Socket createSocket(java.net.InetAddress host, int port) {
      throw new UnsupportedOperationException();
    }
    @Override
    public Socket createSocket(java.net.InetAddress host, int port, java.net.InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }
  }

  interface Work {
    void run(Connection connection) throws SQLException;
  }

  static void expect(String what, String wantedState, Properties more, String database, Work work) {
    Properties properties = new Properties();
    properties.putAll(more);
    properties.setProperty("user", System.getenv("PGUSER"));
    properties.setProperty("socketFactory", ServerSocketFile.class.getName());
    String state = "";
    String message = "";
    try (Connection connection = DriverManager.getConnection("jdbc:postgresql://localhost/" + database, properties)) {
      work.run(connection);
    } catch (SQLException error) {
      state = String.valueOf(error.getSQLState());
      message = error.getMessage();
    }
    if (!state.equals(wantedState)) {
      System.out.println(what + ": SQLSTATE '" + state + "', not '" + wantedState + "' " + message);
    }
  }

  static void callWith(Connection connection, String sql, int times) throws SQLException {
    try (var statement = connection.prepareCall(sql)) {
      for (int i = 0; i < times; ++i) {
        statement.setString(1, "m");
        statement.execute();
      }
    }
  }

  public static void main(String[] arguments) {
    String database = arguments[0];
    Properties defaults = new Properties();
    Properties simple = new Properties();
    simple.setProperty("preferQueryMode", "simple");
    Properties calls = new Properties();
    calls.setProperty("escapeSyntaxCallMode", "call");
    for (Properties mode : new Properties[] {defaults, simple}) {
      String name = mode == simple ? "simple, " : "extended, ";
      expect(name + "a statement", "", mode, database, c -> {
        try (Statement statement = c.createStatement()) {
          statement.execute("call health.refresh('m')");
          statement.execute("call health.backfill('m')");
        }
      });
      // The driver prepares on the server from the fifth time on.
      expect(name + "prepared", "", mode, database, c -> callWith(c, "call health.refresh(?)", 7));
      expect(name + "autocommit off", "25001", mode, database, c -> {
        c.setAutoCommit(false);
        callWith(c, "call health.refresh(?)", 1);
      });
    }
    expect("among other statements", "25001", simple, database, c -> {
      try (Statement statement = c.createStatement()) {
        statement.execute("select 1; call health.refresh('m')");
      }
    });
    expect("escape syntax", "", calls, database, c -> callWith(c, "{call health.refresh(?)}", 7));
  }
}
