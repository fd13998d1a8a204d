using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Bff.Sessions.Stores;
using Bff.State;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Bff.Sessions.SignIn;

/// <summary>A sign-in that begins: what the handler notes of it, and what to seal that with.</summary>
internal readonly record struct BegunLogin(AuthenticationProperties Properties, RingKey Key, int Slot);

/// <summary>
/// Keeps sign-ins under way in the browser that began them, sealed: nothing is stored for who never comes back. A few at once (tabs), each
/// in a cookie of its own; which one, the state says. Coming back spends the state on the server, so that a code is sent once. To the
/// framework's handler this is the format of a state: a random name of what is in the cookie.
/// </summary>
internal sealed class LoginStates(IKeyRing keys, SessionCookie cookie, ISessionStore store, TimeProvider time)
    : ISecureDataFormat<AuthenticationProperties>
{
    private const string Purpose = "sign-in",
        State = "state";
    private const int Slots = 4;
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    /// <exception cref="StoreUnavailableException">Redis is away and this instance has never seen the keys.</exception>
    public async Task<BegunLogin> Begin(HttpContext context, string returnUrl)
    {
        var slot = Enumerable
            .Range(0, Slots)
            .FirstOrDefault(s => cookie.Read(context, Suffix(s)) is null, RandomNumberGenerator.GetInt32(Slots));
        var properties = new AuthenticationProperties { RedirectUri = returnUrl, ExpiresUtc = time.GetUtcNow() + Life };
        properties.SetString(State, slot + "." + SessionKey.NewCookie());
        return new(properties, await keys.Current(Purpose, context.RequestAborted), slot);
    }

    /// <summary>Puts it into the browser, once the handler has noted in it what it needs on the way back.</summary>
    public void Keep(HttpContext context, BegunLogin login)
    {
        var plain = PropertiesSerializer.Default.Serialize(login.Properties);
        cookie.Write(
            context,
            SealedBox.SealText(login.Key, plain, Encoding.ASCII.GetBytes(Protect(login.Properties))),
            Suffix(login.Slot),
            Life
        );
    }

    /// <summary>Spends a state; null when this browser did not begin it, it has been spent, or it took too long.</summary>
    public async Task<AuthenticationProperties?> Spend(HttpContext context, string? state)
    {
        if (
            !IsState(state)
            || state[0] - '0' is not (>= 0 and < Slots and var slot)
            || cookie.Read(context, Suffix(slot)) is not { Length: < 4096 } box
        )
        {
            return null;
        }

        var plain = await SealedBox.OpenText(keys, Purpose, box, Encoding.ASCII.GetBytes(state), context.RequestAborted);
        var login = plain is null ? null : PropertiesSerializer.Default.Deserialize(plain);
        if (login is null || Protect(login) != state)
        {
            return null;
        }

        cookie.Delete(context, Suffix(slot));
        return login.ExpiresUtc > time.GetUtcNow() && await store.Spend(Spent(state), Life + Life) ? login : null;
    }

    /// <summary>Whether some browser has come back with this state.</summary>
    public async Task<bool> IsSpent(string? state) => IsState(state) && await store.IsSpent(Spent(state));

    /// <inheritdoc />
    public string Protect(AuthenticationProperties data) => data.GetString(State)!;

    /// <inheritdoc />
    public string Protect(AuthenticationProperties data, string? purpose) => Protect(data);

    /// <inheritdoc />
    public AuthenticationProperties? Unprotect(string? protectedText) => null; // It takes the browser's cookie: Spend.

    /// <inheritdoc />
    public AuthenticationProperties? Unprotect(string? protectedText, string? purpose) => null;

    private static bool IsState([NotNullWhen(true)] string? state) =>
        state is { Length: 2 + SessionKey.CookieLength } && Ascii.IsValid(state);

    private static string Spent(string state) => "login:" + SessionKey.Hash(state);

    private static string Suffix(int slot) => $"-login{slot}";
}
