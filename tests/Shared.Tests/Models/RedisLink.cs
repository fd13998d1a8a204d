using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Bff.Shared.Tests.Models;

/// <summary>
/// One instance's connection to a <see cref="ModelServer"/> that can lose commands and messages. The connections stay open, so that no test
/// waits for new ones.
/// </summary>
internal sealed class RedisLink : IDisposable
{
    private const string Direct = "return redis.call(unpack(ARGV))";
    private static readonly ConcurrentDictionary<string, string> Scripts = new(StringComparer.OrdinalIgnoreCase);
    private static readonly HashSet<string> Passing = new(StringComparer.Ordinal)
    {
        "PING",
        "ECHO",
        "CLIENT",
        "INFO",
        "CONFIG",
        "SELECT",
        "AUTH",
        "HELLO",
        "CLUSTER",
        "SENTINEL",
        "COMMAND",
        "ROLE",
        "QUIT",
    };

    private readonly ModelServer _server;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, byte> _open = new();

    public RedisLink(ModelServer server)
    {
        _server = server;
        _listener.Start();
        ConnectionString = _listener.LocalEndpoint + ",protocol=resp2";
        _ = Accept();
    }

    public string ConnectionString { get; }

    public FaultPlan Faults { get; } = new();

    /// <summary>Whether published messages are lost.</summary>
    public bool LosesMessages { get; set; }

    /// <summary>Whether commands are lost, too.</summary>
    public bool IsCut { get; set; }

    public void Dispose()
    {
        _listener.Stop();
        foreach (var (client, _) in _open)
        {
            client.Dispose();
        }
    }

    private static byte[] Error(string text) => Encoding.ASCII.GetBytes("-" + text + "\r\n");

    private static bool IsMessage(byte[] frame) => frame.AsSpan().StartsWith("*3\r\n$7\r\nmessage\r\n"u8);

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                _ = Join(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            // The run has ended.
        }
    }

    private async Task Join(TcpClient client)
    {
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        _open[client] = 0;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _server.Port);
            var (near, far) = (new RespStream(client.GetStream()), new RespStream(server.GetStream()));
            while (true)
            {
                var frame = await near.Frame();
                var words = RespStream.Words(frame);
                var name = Encoding.ASCII.GetString(words[0]).ToUpperInvariant();
                if (name.EndsWith("SUBSCRIBE", StringComparison.Ordinal))
                {
                    await far.Write(frame);
                    await Task.WhenAny(Copy(near, far, static _ => true), Copy(far, near, f => !IsMessage(f) || !(LosesMessages || IsCut)));
                    return;
                }

                await near.Write(Passing.Contains(name) ? await Ask(far, frame) : await Answer(far, name, words));
            }
        }
        catch (Exception cut) when (cut is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // One side has closed its connection.
        }
        finally
        {
            client.Dispose();
            _open.TryRemove(client, out _);
        }
    }

    private static async Task Copy(RespStream from, RespStream to, Func<byte[], bool> passes)
    {
        while (true)
        {
            var frame = await from.Frame();
            if (passes(frame))
            {
                await to.Write(frame);
            }
        }
    }

    private async Task<byte[]> Answer(RespStream server, string name, List<byte[]> words)
    {
        var script = Direct;
        List<byte[]> rest = ["0"u8.ToArray(), .. words];
        if (name == "SCRIPT" || name == "EVAL")
        {
            var text = words[name == "EVAL" ? 1 : 2];
#pragma warning disable CA5350 // Redis names scripts by their SHA-1.
            var sha1 = Convert.ToHexStringLower(SHA1.HashData(text));
#pragma warning restore CA5350
            Scripts[sha1] = Encoding.UTF8.GetString(text);
            if (name == "SCRIPT")
            {
                return Encoding.ASCII.GetBytes($"$40\r\n{sha1}\r\n");
            }

            (script, rest) = (Scripts[sha1], words[2..]);
        }
        else if (name == "EVALSHA")
        {
            if (!Scripts.TryGetValue(Encoding.ASCII.GetString(words[1]), out var known))
            {
                return Error("NOSCRIPT No matching script. Please use EVAL.");
            }

            (script, rest) = (known, words[2..]);
        }

        var fault = IsCut ? Fault.Lost : Faults.Take();
        if (fault is Fault.Refused)
        {
            return Error("NOPERM this user has no permissions to run the command");
        }

        if (fault is Fault.Lost)
        {
            return Error("BUSY it did not arrive"); // The caller handles this error like a timeout, without the waiting.
        }

        var (name1, wrapped) = ModelServer.WithStandIn(script);
        var answer = await Ask(server, RespStream.Command([.. (byte[][])["EVALSHA"u8.ToArray(), name1], .. rest]));
        if (answer.AsSpan().StartsWith("-NOSCRIPT"u8))
        {
            answer = await Ask(server, RespStream.Command([.. (byte[][])["EVAL"u8.ToArray(), wrapped], .. rest]));
        }

        return fault is Fault.Unanswered ? Error("BUSY its answer did not arrive") : answer;
    }

    private static async Task<byte[]> Ask(RespStream server, byte[] frame)
    {
        await server.Write(frame);
        return await server.Frame();
    }
}
