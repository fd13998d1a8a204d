using System.Collections.Concurrent;
using Bff.State;
using Microsoft.Extensions.Options;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>
/// Sends what is due: 1. reads the endpoints with due deliveries; 2. claims as many of each as this instance may still send to it at the
/// same time: one for an endpoint that fails, several for one that answers, so that a dead endpoint takes no capacity from others; 3. sends
/// them; 4. records the result and the time of the next attempt.
/// </summary>
internal sealed partial class WebhookWorker(
    IWebhookStore store,
    WebhookSender sender,
    IOptions<WebhookOptions> options,
    TimeProvider time,
    ILogger<WebhookWorker> logger
) : WebhookWork(time, new("webhook-sending", logger))
{
    private const int EndpointsAtOnce = 200;
    private const int AtOnce = 1024;
    private const int AtOnceToNew = 2;
    private const int AtOnceToHealthy = 8;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, byte> _inFlight = new();
    private readonly TimeProvider _time = time;
    private readonly ILogger _logger = logger;
    private readonly CancellationTokenSource _breakOff = new();
    private volatile bool _isDead;

    /// <summary>For tests: ends like a crashed process, without returning any claims.</summary>
    internal void Kill()
    {
        _isDead = true;
        _breakOff.Cancel();
        base.Dispose();
    }

    /// <summary>Gives attempts in flight a moment to end; returns the other claims.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(_inFlight.Keys).WaitAsync(Grace, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _breakOff.CancelAsync();
        await Task.WhenAll(_inFlight.Keys).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override void Dispose()
    {
        base.Dispose();
        _breakOff.Dispose();
    }

    protected override async Task Work(CancellationToken cancellation)
    {
        var breakOff = _breakOff.Token;
        var found = true;
        while (found && !cancellation.IsCancellationRequested)
        {
            found = false;

            // Endpoints at their limit stay due for other instances. Each of them holds an attempt, so they do not crowd out the rest.
            foreach (var id in await store.Due(_time.GetUtcNow(), EndpointsAtOnce + _inFlight.Count, cancellation))
            {
                if (cancellation.IsCancellationRequested)
                {
                    return;
                }

                var lane = _lanes.GetOrAdd(id, static _ => new());
                var room = Math.Min(lane.Room, AtOnce - _inFlight.Count);
                if (room <= 0)
                {
                    continue;
                }

                var claimed = await Claim(id, room);
                found |= claimed.Count > 0;
                foreach (var delivery in claimed)
                {
                    lane.Enter();
                    var sending = Task.Run(() => Send(delivery, lane, breakOff), CancellationToken.None);
                    _inFlight[sending] = 0;
                    _ = sending.ContinueWith(
                        done => _inFlight.TryRemove(done, out _),
                        CancellationToken.None,
                        TaskContinuationOptions.None,
                        TaskScheduler.Default
                    );
                }
            }
        }
    }

    /// <summary>
    /// Claims deliveries of an endpoint. Not cancelled on shutdown, so that claimed deliveries are sent or returned, instead of waiting
    /// until the claim ends. If Redis refuses it for one endpoint, others are not affected.
    /// </summary>
    private async Task<IReadOnlyList<WebhookDelivery>> Claim(string endpointId, int room)
    {
        try
        {
            var claimed = await store.Claim(endpointId, _time.GetUtcNow(), options.Value.Lease, room, CancellationToken.None);
            Rounds.Succeeded(endpointId);
            return claimed;
        }
#pragma warning disable CA1031 // Only this endpoint is affected.
        catch (Exception failure) when (failure is not (StoreUnavailableException or OperationCanceledException or ObjectDisposedException))
#pragma warning restore CA1031
        {
            Rounds.Failed(endpointId, failure);
            return [];
        }
    }

    private async Task Send(WebhookDelivery delivery, Lane lane, CancellationToken breakOff)
    {
        try
        {
            var endpoint = await store.Find(delivery.Owner, delivery.EndpointId, breakOff);
            if (endpoint is not { Enabled: true })
            {
                await store.Note(
                    delivery with
                    {
                        Status = DeliveryStatus.Failed,
                        NextAttemptAt = null,
                        ByHand = null,
                    },
                    null,
                    _time.GetUtcNow(),
                    breakOff
                );
                return;
            }

            if (delivery.NextAttemptAt is null)
            {
                await store.Note(delivery, null, _time.GetUtcNow(), breakOff); // Finished already; only its queue entry was left.
                return;
            }

            var result = await sender.Send(endpoint, delivery, breakOff);
            lane.IsHealthy = result.IsSuccess;
            await Note(endpoint, delivery, result);
        }
        catch (OperationCanceledException)
        {
            await HandBack(delivery);
        }
        catch (StoreUnavailableException)
        {
            // The claim expires, and then it is sent (again).
        }
#pragma warning disable CA1031 // Only this delivery is affected.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Rounds.Failed(delivery.EndpointId, failure);
        }
        finally
        {
            lane.Leave();
            Wake();
        }
    }

    private async Task Note(WebhookEndpoint endpoint, WebhookDelivery delivery, SendResult result)
    {
        var now = _time.GetUtcNow();
        var tries = delivery.ByHand is null ? delivery.Tries + 1 : delivery.Tries;
        var next =
            result.IsSuccess || result.IsGone ? null
            : delivery.ByHand is { } byHand ? byHand.ResumesAt
            : tries < options.Value.Gaps.Length ? now + Gap(tries)
            : (DateTimeOffset?)null;
        var noted = delivery with
        {
            Tries = tries,
            ByHand = null,
            Attempts = [.. delivery.Attempts.TakeLast(WebhookDelivery.AttemptsKept - 1), result.Attempt],
            Status =
                result.IsSuccess ? DeliveryStatus.Delivered
                : next is null ? DeliveryStatus.Failed
                : DeliveryStatus.Pending,
            NextAttemptAt = now + result.RetryAfter > next ? now + result.RetryAfter : next,
        };

        // The result is recorded even if the host is stopping by now.
        var failingSince = await store.Note(noted, result.IsSuccess, now, default);
        if (
            result.IsGone
            || (
                !result.IsSuccess
                && now - failingSince >= options.Value.DisableAfter
                && !(now - endpoint.EnabledAt < options.Value.DisableAfter)
            )
        )
        {
            LogDisabled(_logger, endpoint.Id, result.IsGone);
            await store.Change(endpoint.Owner, endpoint.Id, e => e with { Enabled = false }, default);
        }
    }

    private TimeSpan Gap(int tries) => options.Value.Gaps[tries] * (1 + options.Value.Jitter * Random.Shared.NextDouble());

    /// <summary>Returns a claim, so that another instance can take the delivery at once.</summary>
    private async Task HandBack(WebhookDelivery delivery)
    {
        if (_isDead)
        {
            return;
        }

        try
        {
            await store.Note(delivery with { NextAttemptAt = _time.GetUtcNow() }, null, _time.GetUtcNow(), default);
        }
        catch (Exception away) when (away is StoreUnavailableException or ObjectDisposedException)
        {
            // The claim expires by itself.
        }
    }

    [LoggerMessage(
        3222,
        LogLevel.Warning,
        "Webhook endpoint {Endpoint} is disabled and receives no more events (it answered 410 Gone: {IsGone})",
        EventName = "WebhookEndpointDisabled"
    )]
    private static partial void LogDisabled(ILogger logger, string endpoint, bool isGone);

    /// <summary>State of one endpoint on this instance.</summary>
    private sealed class Lane
    {
        private int _inFlight;
        private int _known; // 0 unknown, 1 healthy, 2 failing

        public bool IsHealthy
        {
            set => Volatile.Write(ref _known, value ? 1 : 2);
        }

        public int Room =>
            (
                Volatile.Read(ref _known) switch
                {
                    0 => AtOnceToNew,
                    1 => AtOnceToHealthy,
                    _ => 1,
                }
            ) - Volatile.Read(ref _inFlight);

        public void Enter() => Interlocked.Increment(ref _inFlight);

        public void Leave() => Interlocked.Decrement(ref _inFlight);
    }
}
