using System.Collections.Concurrent;
using System.Text;
using Bff.Bench.Soak.Hosts;

namespace Bff.Bench.Soak.Work;

/// <summary>An answer; status 0: none came.</summary>
internal readonly record struct Reply(int Status, string Body, string? Location = null, string? Cookie = null)
{
    public bool IsGood => Status is >= 200 and < 300;
}

/// <summary>A request to the partner gateway, for the sum of what was served.</summary>
internal readonly record struct PartnerCall(string Tenant, Instance Instance, double AnsweredAt, int Status);

/// <summary>Sends requests to instances and counts the answers.</summary>
internal sealed class Sender(World world)
{
    private readonly ConcurrentDictionary<(string Gateway, int Status), int> _answers = new();
    private readonly ConcurrentQueue<PartnerCall> _partner = new();
    private readonly ConcurrentQueue<string> _internalErrors = new();

    /// <summary>Number of answers by status.</summary>
    public IReadOnlyDictionary<(string Gateway, int Status), int> Answers => _answers;

    public IReadOnlyCollection<PartnerCall> PartnerCalls => _partner;

    /// <summary>Answers of status 500, which mean an unexpected error in a gateway.</summary>
    public IReadOnlyCollection<string> InternalErrors => _internalErrors;

    public static HttpRequestMessage Request(
        HttpMethod method,
        string path,
        string? bearer = null,
        string? json = null,
        params (string Name, string Value)[] headers
    )
    {
        var request = new HttpRequestMessage(method, path);
        if (bearer is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + bearer);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        return request;
    }

    /// <param name="instance">The receiver.</param>
    /// <param name="request">A request with a relative address.</param>
    /// <param name="http">The client; null: the usual one.</param>
    /// <param name="tenant">The tenant of the request, where usage is counted.</param>
    public async Task<Reply> Send(Instance instance, HttpRequestMessage request, HttpClient? http = null, string? tenant = null)
    {
        var path = request.RequestUri!.OriginalString;
        request.RequestUri = new Uri(instance.Address, path);
        var reply = default(Reply);
        try
        {
            using (request)
            {
                using var answer = await (http ?? world.Http).SendAsync(request);
                var cookies = answer.Headers.TryGetValues("Set-Cookie", out var all)
                    ? all.Select(c => c.Split(';')[0]).Where(c => !c.EndsWith('='))
                    : [];
                var cookie = cookies.LastOrDefault(); // A deleted cookie has no value.
                reply = new(
                    (int)answer.StatusCode,
                    await answer.Content.ReadAsStringAsync(),
                    answer.Headers.Location?.OriginalString,
                    cookie
                );
            }
        }
        catch (Exception broken) when (broken is HttpRequestException or OperationCanceledException or IOException)
        {
            // No answer.
        }

        _answers.AddOrUpdate((instance.Gateway, reply.Status), 1, static (_, n) => n + 1);
        if (tenant is not null)
        {
            _partner.Enqueue(new(tenant, instance, world.Time.Now, reply.Status));
        }

        if (reply.Status == 500)
        {
            _internalErrors.Enqueue($"{instance.Gateway} {request.Method} {path.Split('?')[0]} at {world.Time.Now:F1} s");
        }

        return reply;
    }
}

/// <summary>Repeats an action at a steady rate, however long each takes, with a maximum number at the same time.</summary>
internal static class Pace
{
    public static async Task Every(double perSecond, int most, Func<Task> act, CancellationToken enough)
    {
        using var free = new SemaphoreSlim(most, most);
        var running = new List<Task>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1 / perSecond));
        try
        {
            while (await timer.WaitForNextTickAsync(enough))
            {
                if (free.Wait(0, CancellationToken.None))
                {
                    running.RemoveAll(t => t.IsCompletedSuccessfully);
                    running.Add(
                        Task.Run(
                            async () =>
                            {
                                try
                                {
                                    await act();
                                }
                                finally
                                {
                                    free.Release();
                                }
                            },
                            CancellationToken.None
                        )
                    );
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The load has ended.
        }

        await Task.WhenAll(running);
    }

    public static Task Pause(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds));

    public static Task Pause(double from, double to) => Pause(from + (Random.Shared.NextDouble() * (to - from)));
}

/// <summary>A condition that must hold at the end.</summary>
/// <param name="What">The condition in words.</param>
/// <param name="Measured">Measured numbers.</param>
/// <param name="Broken">Violations; empty: the condition holds.</param>
internal sealed record Check(string What, string Measured, IReadOnlyCollection<string> Broken);
