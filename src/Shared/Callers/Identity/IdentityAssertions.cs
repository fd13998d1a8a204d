using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Bff.Callers.Clients;
using Bff.Concurrency;
using Bff.Life;
using Bff.Requests;
using Bff.State;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.Identity;

/// <summary>
/// Creates <c>X-Identity-Token</c> (<c>Identity:SignedAssertion</c>), with which a service can verify that a request came through a
/// gateway. The token is an ES256 JWT with the facts of the identity headers. It is valid for two minutes and for one upstream. It is
/// reused for one minute per caller and upstream.
/// </summary>
internal sealed class IdentityAssertions(IKeyRing ring, IConfiguration configuration, TimeProvider time, ILogger<IdentityAssertions> logger)
    : BackgroundService,
        IReadinessCheck
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan RenewAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ReadKeysEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RetryKeysAfter = TimeSpan.FromSeconds(1);

    private readonly string _issuer = configuration["PublicUrl"]?.TrimEnd('/') is { Length: > 0 } url ? url : "bff";
    private readonly ConditionalWeakTable<Caller, ConcurrentDictionary<string, Assertion>> _issued = [];
    private readonly BackgroundLoop _loop = new("identity-assertions", logger);
    private AssertionKey[] _keys = [];

    private sealed record Assertion(string Token, AssertionKey Key, DateTimeOffset RenewAt);

    /// <inheritdoc />
    public string Name => "identity-assertions";

    /// <summary>Whether there is a key to sign with.</summary>
    public bool IsReady => Keys.Length > 0;

    private AssertionKey[] Keys => Volatile.Read(ref _keys);

    /// <summary>Returns the assertion; null for the anonymous caller, and while there is no key.</summary>
    /// <param name="caller">The caller whom the assertion describes.</param>
    /// <param name="upstream">The upstream that receives the assertion.</param>
    public string? For(Caller caller, string upstream)
    {
        if (!caller.IsAuthenticated || Keys is not [var key, ..])
        {
            return null;
        }

        var issued = _issued.GetOrCreateValue(caller);
        var now = time.GetUtcNow();
        if (!issued.TryGetValue(upstream, out var assertion) || assertion.RenewAt <= now || assertion.Key != key)
        {
            issued[upstream] = assertion = new(Sign(caller, upstream, key, now), key, now + RenewAfter);
        }

        return assertion.Token;
    }

    /// <summary>Returns the public keys as a key set (RFC 7517).</summary>
    public byte[] PublicKeys()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("keys");
            foreach (var key in Keys)
            {
                key.WritePublic(json);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _loop.Try(ReadKeys, stoppingToken); // While reading fails, the known keys stay in use.
                await Task.Delay(IsReady ? ReadKeysEvery : RetryKeysAfter, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ReadKeys(CancellationToken cancellation)
    {
        var known = Keys.ToDictionary(k => k.Id);
        var secrets = await ring.All("assertions", cancellation);
        Volatile.Write(ref _keys, [.. secrets.Select(s => known.GetValueOrDefault(s.Id) ?? AssertionKey.From(s))]);
    }

    private string Sign(Caller caller, string upstream, AssertionKey key, DateTimeOffset now)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("iss", _issuer);
            json.WriteString("aud", upstream);
            // A service must not take an application for the user of the same name.
            WriteIfAny(json, "sub", caller.IsApplication ? null : caller.Subject);
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteNumber("exp", (now + Lifetime).ToUnixTimeSeconds());
            WriteIfAny(json, "email", caller.Email);
            WriteIfAny(json, "tid", caller.Tenant);
            WriteIfAny(json, "client_id", caller.Client);
            WriteIfAny(json, "scope", string.Join(' ', caller.Scopes.Order(StringComparer.Ordinal)));
            json.WriteStartArray("roles");
            foreach (var role in caller.Roles)
            {
                json.WriteStringValue(role);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        var signed = key.Header + "." + Base64Url.EncodeToString(buffer.WrittenSpan);
        return signed + "." + Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)));
    }

    private static void WriteIfAny(Utf8JsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            json.WriteString(name, value);
        }
    }
}
