/* Aim: a relay takes nothing more from a desk that was revoked, whichever of its certificates it shows, and the county hears of
 * each. A real store. */
#include "tests/server/relay_stage.h"

static bool take_number(void *context, struct mq_span bytes)
{
    struct mq_control control;
    bool good = mq_control_decode(&control, bytes) == MQ_OK;

    *(uint64_t *)context = good ? control.number : 0;
    return false;
}

/* Of the receipts for Anna's stream that the relay keeps. */
static uint64_t greatest_number(void)
{
    uint64_t number = 0;

    assert_int_equal(w->store->verbs->controls(w->store, team_a, MQ_CONTROL_RECEIPT, w->anna.stream, take_number, &number,
                                               &w->error),
                     MQ_OK);
    return number;
}

static void send_receipt(const struct kit_member *desk, uint64_t number)
{
    kit_say(w, &w->anna);
    kit_add_certificate(w, desk);
    add_receipt(desk, number);
    kit_send(w, &w->anna);
}

/* Who stole a township's key takes no slot from the county with a great number. Once the key is revoked nothing is told
 * that it signed, earlier, later, or in the very request that brings the revocation, where it came first too. */
static void revoked_township_is_not_heard(void **state)
{
    struct kit_member township = kit_member(0xd0, MQ_ROLE_DESK, team_a, &w->root);

    (void)state;
    seal_words(&w->anna, "a");
    bring(&w->anna);
    kit_say(w, &w->anna);
    kit_add_certificate(w, &township);
    add_receipt(&township, INT64_MAX - 2);
    kit_send(w, &w->anna);
    kit_say(w, &w->desk);
    add_receipt(&w->desk, 1);
    kit_send(w, &w->desk);
    assert_told(2, (uint64_t[]){1, INT64_MAX - 2}); /* the county's is told first */
    kit_say(w, &w->anna);
    kit_add_certificate(w, &township);
    add_receipt(&township, INT64_MAX - 1);
    add_revocation_of(&township, &w->desk, 5);
    add_receipt(&township, INT64_MAX);
    kit_send(w, &w->anna);
    assert_int_equal(kit_count(w, MQ_FRAME_CONTROL), 2); /* the revocation, once, and the county's */
    assert_told(1, (uint64_t[]){1});
    kit_say(w, &w->anna);
    kit_add_certificate(w, &township);
    add_receipt(&township, INT64_MAX);
    kit_send(w, &w->anna);
    assert_told(1, (uint64_t[]){1});
    kit_member_free(&township);
}

/* The root signed a township's key twice, and the county revoked the one certificate that it knows: nothing is taken under the
 * other, which goes to the team all the same, so that the county can revoke it too. */
static void a_second_certificate_is_silenced_too(void **state)
{
    struct kit_member township = kit_member(0xd0, MQ_ROLE_DESK, team_a, &w->root);

    (void)state;
    seal_words(&w->anna, "a");
    bring(&w->anna);
    send_receipt(&township, 7);
    assert_int_equal(greatest_number(), 7);
    kit_say(w, &w->desk);
    add_revocation_of(&township, &w->desk, 5);
    kit_send(w, &w->desk);
    township.certificate.serial++;
    mq_certificate_sign(&township.certificate, &w->root);
    send_receipt(&township, 8);
    assert_int_equal(greatest_number(), 7);
    kit_sync(w, &w->desk);
    assert_int_equal(kit_count(w, MQ_FRAME_CERTIFICATE), 1);
    kit_member_free(&township);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SCENE(revoked_township_is_not_heard), SCENE(a_second_certificate_is_silenced_too)};

    if (directory_make() != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    directory_remove();
    return failed;
}
