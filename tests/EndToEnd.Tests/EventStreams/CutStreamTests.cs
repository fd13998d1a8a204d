using System.Net;
using System.Text;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.EventStreams;

/// <summary>Runs real processes on a real Redis through cut connections, crashes and restarts.</summary>
public sealed class CutStreamTests() : InstancesOnOneRedis("WebBff", 2)
{
    private const int Events = 500;
    private const int Cuts = 20;

    /// <summary>Number of events that the publisher may be ahead of the reader, so that every cut falls between events.</summary>
    private const int MaxAhead = 40;

    [RedisFact]
    public async Task Five_hundred_events_over_twenty_cuts_and_restarts_arrive_once_and_in_order()
    {
        await Task.WhenAll(Start(0), Start(1));
        using var browser = await SignedInBrowser.SignIn(Instances[0], Surroundings);
        string? last;
        using (var first = await browser.Open(Instances[0], null))
        {
            var opened = first.Next(); // Nothing is published yet, so this only reads the starting position.
            await Eventually.True(() => first.LastEventId is not null);
            last = first.LastEventId;
        }

        using var published = new SemaphoreSlim(MaxAhead);
        var publishing = Publish(published);
        var seen = new List<string>();
        for (var cut = 1; cut <= Cuts + 1; cut++)
        {
            using var stream = await browser.Open(Instances[cut % 2], last);
            await Read(stream, cut > Cuts ? Events : cut * Events / (Cuts + 1), seen, published);
            var ended = await Cut(cut, cut % 2);
            while (ended && await stream.Next() is { } late)
            {
                Take(late, seen, published); // It arrived before the end of the stream.
            }

            last = stream.LastEventId;
        }

        await publishing;
        Assert.Equal(Enumerable.Range(0, Events).Select(n => $$"""{"n":{{n}}}"""), seen);
    }

    /// <summary>
    /// Cuts the connection. The instance makes every third cut, by a crash or an orderly end in turn, and in the last one both instances go
    /// at once. The client makes the other cuts.
    /// </summary>
    /// <returns>Whether the connection ended on the instance's side.</returns>
    private async Task<bool> Cut(int cut, int at)
    {
        if (cut > Cuts || cut % 3 != 0)
        {
            return false;
        }

        if (cut % 2 == 0)
        {
            await Instances[at].Terminate();
            Assert.Equal(0, await Instances[at].Exit());
        }
        else
        {
            await Instances[at].Kill();
        }

        if (cut + 3 > Cuts)
        {
            await Instances[1 - at].Kill();
            await Start(1 - at);
        }

        await Start(at);
        return true;
    }

    private protected override Task<GatewayProcess> StartProcess() => WebGateway.Start(Surroundings, Folder, Redis);

    private static async Task Read(EventSource stream, int until, List<string> seen, SemaphoreSlim published)
    {
        while (seen.Count < until)
        {
            var item = await stream.Next().WaitAsync(GatewayProcess.WaitLimit);
            Assert.True(item is not null, $"The stream ended by itself after {seen.Count} events.");
            Take(item.Value, seen, published);
        }
    }

    private static void Take((string Type, string Data) item, List<string> seen, SemaphoreSlim published)
    {
        Assert.Equal("order.updated", item.Type);
        seen.Add(item.Data);
        published.Release();
    }

    /// <summary>Publishes as a service does: events in order, to any instance, each repeated until it is accepted.</summary>
    private async Task Publish(SemaphoreSlim published)
    {
        using var http = new HttpClient(new LeakSentinelHandler(Surroundings.Leaks, new SocketsHttpHandler { UseProxy = false }));
        http.DefaultRequestHeaders.Authorization = new("Bearer", Surroundings.Token("orders", "events.publish"));
        for (var n = 0; n < Events; n++)
        {
            await published.WaitAsync();
            var instance = n;
            await Eventually.True(() => IsTaken(http, n, Instances[instance++ % 2].Address), GatewayProcess.WaitLimit);
        }
    }

    private static async Task<bool> IsTaken(HttpClient http, int n, Uri instance)
    {
        var body =
            $$$"""{"specversion":"1.0","id":"{{{n}}}","source":"/orders","type":"order.updated","userid":"u-1001","data":{"n":{{{n}}}}}""";
        using var content = new StringContent(body, Encoding.UTF8, "application/cloudevents+json");
        try
        {
            using var answer = await http.PostAsync(new Uri(instance, "/internal/events"), content);
            Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}");
            return answer.StatusCode == HttpStatusCode.Accepted;
        }
        catch (HttpRequestException)
        {
            return false; // The instance is dead or dying.
        }
    }
}
