using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bff.State;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>
/// Signs deliveries (Standard Webhooks 1.0, symmetric): secrets are <c>whsec_</c> + base64; signatures are <c>v1,</c> + base64 of
/// HMAC-SHA256 over id, time and body.
/// </summary>
internal static class WebhookSigning
{
    public const string Prefix = "whsec_";

    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(32);

    public static string Show(byte[] secret) => Prefix + Convert.ToBase64String(secret);

    /// <summary>Returns the header <c>webhook-signature</c>, with one signature per secret.</summary>
    public static string Sign(IEnumerable<byte[]> secrets, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        byte[] signed = [.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")), .. body];
        return string.Join(' ', secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, signed))));
    }

    /// <summary>Returns an id that is always the same for an event and an endpoint.</summary>
    public static string DeliveryId(string eventId, string endpointId) =>
        "msg_" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(eventId + "\n" + endpointId)).AsSpan(0, 18));
}

/// <summary>
/// Seals the endpoints' secrets with keys that the instances share. Keys age out, so secrets are sealed again before their key does.
/// </summary>
internal sealed class WebhookSecrets(IKeyRing keys)
{
    private const string Purpose = "webhooks";

    public async ValueTask<WebhookSecret> Seal(string endpointId, byte[] secret, CancellationToken cancellation) =>
        new(SealedBox.Seal(await keys.Current(Purpose, cancellation), secret, Context(endpointId)), null);

    /// <summary>Returns the secrets that sign now, the current one first.</summary>
    public async ValueTask<List<byte[]>> Open(WebhookEndpoint endpoint, DateTimeOffset now, CancellationToken cancellation)
    {
        var open = new List<byte[]>();
        foreach (var secret in endpoint.Secrets)
        {
            if (
                (secret.Until is null || secret.Until > now)
                && await SealedBox.Open(keys, Purpose, secret.Box, Context(endpoint.Id), cancellation) is { } plain
            )
            {
                open.Add(plain);
            }
        }

        return open;
    }

    /// <summary>Seals the endpoint's secrets with the current key; null if they are already, or cannot be opened.</summary>
    public async ValueTask<IReadOnlyList<WebhookSecret>?> Renew(WebhookEndpoint endpoint, CancellationToken cancellation)
    {
        var current = await keys.Current(Purpose, cancellation);
        var id = Encoding.ASCII.GetBytes(current.Id);
        if (endpoint.Secrets.All(s => s.Box.AsSpan(1).StartsWith(id)))
        {
            return null;
        }

        var renewed = new List<WebhookSecret>();
        foreach (var secret in endpoint.Secrets)
        {
            if (await SealedBox.Open(keys, Purpose, secret.Box, Context(endpoint.Id), cancellation) is not { } plain)
            {
                return null;
            }

            renewed.Add(secret with { Box = SealedBox.Seal(current, plain, Context(endpoint.Id)) });
        }

        return renewed;
    }

    private static byte[] Context(string endpointId) => Encoding.UTF8.GetBytes("webhook:" + endpointId);
}
