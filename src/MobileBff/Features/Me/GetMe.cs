using Bff.Composition;
using Bff.Requests;
using MobileBff.Upstreams;

namespace MobileBff.Features.Me;

internal static class GetMe
{
    public static async Task<Composed<Profile>> Handle(Caller caller, Composer composer, IUsers users)
    {
        var user = composer.Required("user", users.Profile(caller.Subject));
        return (await composer.Compose(() => Profile.Of(user.Value), MobileJson.Answers.Profile)).WithoutMeta();
    }
}
