using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Options;
using PartnerBff.Webhooks.Addresses;
using Refit;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>The result of an attempt.</summary>
/// <param name="Attempt">The attempt for the record.</param>
/// <param name="RetryAfter">The delay that a 429 or 503 requested.</param>
internal readonly record struct SendResult(DeliveryAttempt Attempt, TimeSpan? RetryAfter)
{
    public bool IsSuccess => Attempt.StatusCode is >= 200 and < 300;

    public bool IsGone => Attempt.StatusCode == 410;
}

/// <summary>
/// Makes one attempt within <c>Webhooks:Timeout</c>: signs, sends, and reads at most the first 1 KiB of the answer.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    private const int ResponseKept = 1024;

    // Refit requires a base address; each delivery has an address of its own.
    private static readonly Uri Nowhere = new("http://receiver.invalid");
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(24);
    private readonly HttpClient _client;
    private readonly IReceiver _receivers;
    private readonly WebhookSecrets _secrets;
    private readonly WebhookMetrics _metrics;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;

    public WebhookSender(
        GuardedConnections connections,
        WebhookSecrets secrets,
        WebhookMetrics metrics,
        IOptions<WebhookOptions> options,
        TimeProvider time
    )
    {
        (_secrets, _metrics, _timeout, _time) = (secrets, metrics, options.Value.Timeout, time);
        _client = new(connections.CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan, BaseAddress = Nowhere };
        _receivers = RestService.ForGenerated<IReceiver>(
            _client,
            new RefitSettings { TransportExceptionFactory = static (_, failure, _) => failure }
        );
    }

    /// <exception cref="OperationCanceledException">This instance is stopping; whether the endpoint received the event is
    /// unknown.</exception>
    /// <exception cref="Bff.State.StoreUnavailableException">The keys cannot be read.</exception>
    public async Task<SendResult> Send(WebhookEndpoint endpoint, WebhookDelivery delivery, CancellationToken cancellation)
    {
        var at = _time.GetUtcNow();
        var secrets = await _secrets.Open(endpoint, at, cancellation);
        var started = _time.GetTimestamp();
        using var limit = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        using var body = new ByteArrayContent(delivery.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            var timestamp = at.ToUnixTimeSeconds();
            var signature = WebhookSigning.Sign(secrets, delivery.Id, timestamp, delivery.Body);
            using var response = await _receivers.Deliver(endpoint.Url, body, delivery.Id, timestamp, signature, either.Token);
            var text = await Beginning(response, either.Token);
            var result = Result((int)response.StatusCode, text) with { RetryAfter = RetryAfter(response) };
            _metrics.Attempt(result.IsSuccess ? "success" : "rejected");
            return result;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            _metrics.Attempt("timeout");
            return Result(null, "No answer in time.");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            var isForbidden = failure is ForbiddenAddressException || failure.InnerException is ForbiddenAddressException;
            _metrics.Attempt(isForbidden ? "refused" : "unreachable");
            // Messages of exceptions contain addresses.
            return Result(null, isForbidden ? "The address is not on the public internet." : "The connection failed.");
        }

        SendResult Result(int? status, string? text) =>
            new(new(at, status, (int)_time.GetElapsedTime(started).TotalMilliseconds, text), null);
    }

    public void Dispose() => _client.Dispose();

    private static async Task<string> Beginning(HttpResponseMessage response, CancellationToken cancellation)
    {
        var buffer = new byte[ResponseKept];
        var count = 0;
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        while (count < buffer.Length && await body.ReadAsync(buffer.AsMemory(count), cancellation) is > 0 and var read)
        {
            count += read;
        }

        return Encoding.UTF8.GetString(buffer, 0, count);
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if ((int)response.StatusCode is not (429 or 503) || response.Headers.RetryAfter is not { } header)
        {
            return null;
        }

        var wait = header.Delta ?? header.Date - _time.GetUtcNow();
        return wait > LongestRetryAfter ? LongestRetryAfter : wait;
    }
}
