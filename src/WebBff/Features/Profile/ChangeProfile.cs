using System.Text.Json;
using Bff.Requests;
using Bff.Routes;
using WebBff.Upstreams;

namespace WebBff.Features.Profile;

/// <summary>A merge patch (RFC 7396) of the caller's profile: what is absent stays.</summary>
public sealed record ProfilePatch(string? Name = null, string? Locale = null, JsonElement? Preferences = null);

/// <summary>Passed through, once, to the caller's own profile.</summary>
internal static class ChangeProfile
{
    public static Task Handle(HttpContext context, Caller caller, PassThrough through, IUsers users) =>
        through.Send(context, users.Change(caller.Subject));
}
