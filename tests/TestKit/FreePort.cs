using System.Net;
using System.Net.Sockets;

namespace Bff.TestKit;

/// <summary>Finds ports for servers that cannot choose a free port themselves and report it.</summary>
public static class FreePort
{
    /// <summary>Returns a port of 127.0.0.1 that is free now; another process may take it before it is used.</summary>
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
