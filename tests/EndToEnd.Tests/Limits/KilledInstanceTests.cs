using System.Globalization;
using System.Net;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Limits;

/// <summary>
/// Kills and restarts one of three real processes on one real Redis under load, and checks over HTTP the bucket of one caller of the free
/// plan.
/// </summary>
public sealed class KilledInstanceTests() : InstancesOnOneRedis("MobileBff", 3)
{
    private const int Burst = 240;
    private const int PerSecond = 40;
    private string _mode = "";
    private TimeSpan _duration;
    private Admissions _seen = null!;
    private int _broken;
    private volatile bool _isKilled;

    [RedisTheory]
    [InlineData("Exact", 10, 0.99)]
    [InlineData("Leased", 30, 0.95)] // Leases leave a fixed amount unspent, which becomes a small share only over time.
    public async Task Two_hundred_clients_of_one_caller_get_what_one_bucket_admits(string mode, int seconds, double share)
    {
        (_mode, _duration) = (mode, TimeSpan.FromSeconds(seconds));
        await Task.WhenAll(Start(0), Start(1), Start(2));
        _seen = new(Burst, PerSecond);
        var token = Surroundings.Token("u-1002");
        var clients = Enumerable.Range(0, 200).Select(n => Task.Run(() => Call(n, token))).ToList();
        await Eventually.True(() => _seen.Elapsed > _duration / 4, GatewayProcess.WaitLimit);
        await Instances[2].Kill();
        _isKilled = true;
        await Start(2);
        await Task.WhenAll(clients);

        Assert.True(_seen.Admitted <= _seen.Most, $"{_seen.Admitted} admitted, at most {_seen.Most} were there");
        Assert.True(
            _seen.Admitted + _broken >= share * _seen.Least,
            $"{_seen.Admitted} admitted (and {_broken} perhaps) of at least {_seen.Least}"
        );
    }

    private protected override Task<GatewayProcess> StartProcess() =>
        GatewayProcess.Start(
            "MobileBff",
            Surroundings,
            Folder,
            ("ConnectionStrings:redis", Redis.ConnectionString),
            ("Shutdown:Delay", "00:00:00"),
            ("Limits:Mode", _mode),
            ("Plans:free:OnStoreFailure", "Reject"),
            ("Plans:free:Burst", Burst.ToString(CultureInfo.InvariantCulture)),
            ("Plans:free:RequestsPerMinute", (PerSecond * 60).ToString(CultureInfo.InvariantCulture))
        );

    private async Task Call(int client, string token)
    {
        while (_seen.Elapsed < _duration)
        {
            var (asked, isKilled) = (_seen.Elapsed, _isKilled);
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/me") { Headers = { Authorization = new("Bearer", token) } };
                using var answer = await Volatile.Read(ref Instances[client % Instances.Length]).Client.SendAsync(request);
                Assert.Contains(answer.StatusCode, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.TooManyRequests]);
                _seen.Count(answer.IsSuccessStatusCode, asked);
            }
            catch (Exception gone) when (gone is HttpRequestException or ObjectDisposedException or OperationCanceledException)
            {
                // The killed instance may have admitted this request. The handler repeats a request whose connection ended, so a refused
                // connection may be the only visible error.
                if (!isKilled || gone is HttpRequestException { HttpRequestError: not HttpRequestError.ConnectionError })
                {
                    Interlocked.Increment(ref _broken);
                }
            }

            await Task.Delay(200); // Two hundred clients without a pause would measure the machine.
        }
    }
}
