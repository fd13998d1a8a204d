using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bff.State;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.SignIn;

/// <summary>A sign-in under way.</summary>
internal sealed record LoginState(string State, string Nonce, string Verifier, string ReturnUrl, DateTimeOffset EndsAt);

/// <summary>
/// Keeps sign-ins under way in the browser that began them, sealed: nothing is stored for who never comes back. A few at once (tabs), each in a
/// cookie of its own; which one, the state says. Coming back spends the state on the server, so that a code is sent once.
/// </summary>
internal sealed class LoginStates(IKeyRing keys, SessionCookie cookie, ISessionStore store, TimeProvider time)
{
    private const string Purpose = "sign-in";
    private const int Slots = 4;
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    /// <exception cref="StoreUnavailableException">Redis is away and this instance has never seen the keys.</exception>
    public async Task<LoginState> Begin(HttpContext context, string returnUrl)
    {
        var slot = Enumerable.Range(0, Slots).FirstOrDefault(s => cookie.Read(context, Suffix(s)) is null, RandomNumberGenerator.GetInt32(Slots));
        var login = new LoginState(slot + "." + SessionKey.NewCookie(), SessionKey.NewCookie(), SessionKey.NewCookie(), returnUrl, time.GetUtcNow() + Life);
        var key = await keys.Current(Purpose, context.RequestAborted);
        var sealedLogin = SealedBox.SealText(
            key, JsonSerializer.SerializeToUtf8Bytes(login, SessionRecordJson.Default.LoginState), Encoding.ASCII.GetBytes(login.State));
        cookie.Write(context, sealedLogin, Suffix(slot), Life);
        return login;
    }

    /// <summary>Spends a state; null when this browser did not begin it, it has been spent, or it took too long.</summary>
    public async Task<LoginState?> Spend(HttpContext context, string? state)
    {
        if (!IsState(state) || state[0] - '0' is not (>= 0 and < Slots and var slot) || cookie.Read(context, Suffix(slot)) is not { Length: < 4096 } box)
        {
            return null;
        }

        var plain = await SealedBox.OpenText(keys, Purpose, box, Encoding.ASCII.GetBytes(state), context.RequestAborted);
        var login = plain is null ? null : JsonSerializer.Deserialize(plain, SessionRecordJson.Default.LoginState);
        if (login is null || login.State != state)
        {
            return null;
        }

        cookie.Delete(context, Suffix(slot));
        return login.EndsAt > time.GetUtcNow() && await store.Spend(Spent(state), Life + Life) ? login : null;
    }

    /// <summary>Whether some browser has come back with this state.</summary>
    public async Task<bool> IsSpent(string? state) => IsState(state) && await store.IsSpent(Spent(state));

    /// <summary>S256 (RFC 7636).</summary>
    public static string Challenge(string verifier) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    private static bool IsState([NotNullWhen(true)] string? state) => state is { Length: 2 + SessionKey.CookieLength } && Ascii.IsValid(state);

    private static string Spent(string state) => "login:" + SessionKey.Hash(state);

    private static string Suffix(int slot) => $"-login{slot}";
}
