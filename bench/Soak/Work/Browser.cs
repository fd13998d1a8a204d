using System.Text.Json.Nodes;

namespace Bff.Bench.Soak.Work;

/// <summary>A session of the web gateway that works with every instance.</summary>
/// <param name="cookie">The cookie as it is sent.</param>
internal sealed class Browser(string cookie)
{
    public (string Name, string Value) Credential { get; } = ("Cookie", cookie);

    /// <summary>Signs a user in; returns null when something was away.</summary>
    public static async Task<Browser?> SignIn(World world, Sender sender, string user)
    {
        if (
            world.Web.Any() is not { } instance
            || await sender.Send(instance, Sender.Request(HttpMethod.Get, "/bff/login?returnUrl=/"))
                is not { Status: 302, Location: { } login } first
        )
        {
            return null;
        }

        try
        {
            using var form = new FormUrlEncodedContent([KeyValuePair.Create("user", user)]);
            using var chosen = await world.Http.PostAsync(world.Identity.Authority + "/sign-in" + new Uri(login).Query, form);
            if (chosen.Headers.Location is not { } callback)
            {
                return null;
            }

            var back = await sender.Send(
                instance,
                Sender.Request(HttpMethod.Get, callback.PathAndQuery, headers: [("Cookie", first.Cookie ?? "")])
            );
            return back is { Status: 302, Cookie: { } cookie } ? new(cookie) : null;
        }
        catch (Exception away) when (away is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Returns the path to sign out, or null when it cannot be read now.</summary>
    public async Task<string?> SignOutPath(World world, Sender sender) =>
        world.Web.Any() is { } instance
        && await sender.Send(instance, Sender.Request(HttpMethod.Get, "/bff/user", headers: [Credential, ("X-CSRF", "1")]))
            is { Status: 200 } reply
            ? (string?)JsonNode.Parse(reply.Body)!["logoutUrl"]
            : null;
}
