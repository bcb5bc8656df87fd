// etcd's auth service, as etcd answers while authentication is off and there are neither users nor
// roles: kvd has none. What would make them is refused.

import { Auth } from "../../gen/es/etcd/rpc_pb.js";
import {
  AuthDisableRequest,
  AuthDisableResponse,
  AuthEnableRequest,
  AuthEnableResponse,
  AuthenticateRequest,
  AuthenticateResponse,
  AuthRoleAddRequest,
  AuthRoleAddResponse,
  AuthRoleDeleteRequest,
  AuthRoleDeleteResponse,
  AuthRoleGetRequest,
  AuthRoleGetResponse,
  AuthRoleGrantPermissionRequest,
  AuthRoleGrantPermissionResponse,
  AuthRoleListRequest,
  AuthRoleListResponse,
  AuthRoleRevokePermissionRequest,
  AuthRoleRevokePermissionResponse,
  AuthService,
  AuthStatusRequest,
  AuthStatusResponse,
  AuthUserAddRequest,
  AuthUserAddResponse,
  AuthUserChangePasswordRequest,
  AuthUserChangePasswordResponse,
  AuthUserDeleteRequest,
  AuthUserDeleteResponse,
  AuthUserGetRequest,
  AuthUserGetResponse,
  AuthUserGrantRoleRequest,
  AuthUserGrantRoleResponse,
  AuthUserListRequest,
  AuthUserListResponse,
  AuthUserRevokeRoleRequest,
  AuthUserRevokeRoleResponse,
} from "../../gen/grpc/etcd/rpc.js";
import { methodOptions, servedMethod } from "../grpc/codec.js";
import { unary } from "../grpc/handlers.js";
import type { Handlers } from "../grpc/service.js";
import type { Limits } from "../kv/limits.js";
import type { EtcdContext } from "./context.js";
import { precondition, refusals, unimplemented } from "./status.js";

export function authDefinition(limits: Limits) {
  const generated = AuthService;
  const input = Auth.method;
  const with_ = methodOptions(limits.etcdRequestMaxBytes);
  return {
    authEnable: servedMethod(
      generated.authEnable,
      with_(input.authEnable.input, AuthEnableRequest, AuthEnableResponse),
    ),
    authDisable: servedMethod(
      generated.authDisable,
      with_(input.authDisable.input, AuthDisableRequest, AuthDisableResponse),
    ),
    authStatus: servedMethod(
      generated.authStatus,
      with_(input.authStatus.input, AuthStatusRequest, AuthStatusResponse),
    ),
    authenticate: servedMethod(
      generated.authenticate,
      with_(input.authenticate.input, AuthenticateRequest, AuthenticateResponse),
    ),
    userAdd: servedMethod(
      generated.userAdd,
      with_(input.userAdd.input, AuthUserAddRequest, AuthUserAddResponse),
    ),
    userGet: servedMethod(
      generated.userGet,
      with_(input.userGet.input, AuthUserGetRequest, AuthUserGetResponse),
    ),
    userList: servedMethod(
      generated.userList,
      with_(input.userList.input, AuthUserListRequest, AuthUserListResponse),
    ),
    userDelete: servedMethod(
      generated.userDelete,
      with_(input.userDelete.input, AuthUserDeleteRequest, AuthUserDeleteResponse),
    ),
    userChangePassword: servedMethod(
      generated.userChangePassword,
      with_(
        input.userChangePassword.input,
        AuthUserChangePasswordRequest,
        AuthUserChangePasswordResponse,
      ),
    ),
    userGrantRole: servedMethod(
      generated.userGrantRole,
      with_(input.userGrantRole.input, AuthUserGrantRoleRequest, AuthUserGrantRoleResponse),
    ),
    userRevokeRole: servedMethod(
      generated.userRevokeRole,
      with_(input.userRevokeRole.input, AuthUserRevokeRoleRequest, AuthUserRevokeRoleResponse),
    ),
    roleAdd: servedMethod(
      generated.roleAdd,
      with_(input.roleAdd.input, AuthRoleAddRequest, AuthRoleAddResponse),
    ),
    roleGet: servedMethod(
      generated.roleGet,
      with_(input.roleGet.input, AuthRoleGetRequest, AuthRoleGetResponse),
    ),
    roleList: servedMethod(
      generated.roleList,
      with_(input.roleList.input, AuthRoleListRequest, AuthRoleListResponse),
    ),
    roleDelete: servedMethod(
      generated.roleDelete,
      with_(input.roleDelete.input, AuthRoleDeleteRequest, AuthRoleDeleteResponse),
    ),
    roleGrantPermission: servedMethod(
      generated.roleGrantPermission,
      with_(
        input.roleGrantPermission.input,
        AuthRoleGrantPermissionRequest,
        AuthRoleGrantPermissionResponse,
      ),
    ),
    roleRevokePermission: servedMethod(
      generated.roleRevokePermission,
      with_(
        input.roleRevokePermission.input,
        AuthRoleRevokePermissionRequest,
        AuthRoleRevokePermissionResponse,
      ),
    ),
  };
}

/** etcd counts what changes users and roles from here. */
const FIRST_AUTH_REVISION = 1n;

const NO_RIGHTS = "there are neither users nor roles: whoever reaches the server may do everything";

export function authHandlers(context: EtcdContext): Handlers {
  const { engine, identity, statusOf } = context;
  const header = () => identity.header(engine.revision);
  const refused = (why: () => Error) =>
    unary(statusOf, async () => {
      throw why();
    });
  const noUser = refused(() => precondition("user name not found"));
  const noRole = refused(() => precondition("role name not found"));
  return {
    authEnable: refused(() => precondition("root user does not exist")),
    authDisable: unary(statusOf, async (_request: AuthDisableRequest) => ({ header: header() })),
    authStatus: unary(
      statusOf,
      async (_request: AuthStatusRequest): Promise<AuthStatusResponse> => ({
        header: header(),
        enabled: false,
        authRevision: FIRST_AUTH_REVISION,
      }),
    ),
    authenticate: refused(refusals.authNotEnabled),
    userList: unary(
      statusOf,
      async (_request: AuthUserListRequest): Promise<AuthUserListResponse> => ({
        header: header(),
        users: [],
      }),
    ),
    roleList: unary(
      statusOf,
      async (_request: AuthRoleListRequest): Promise<AuthRoleListResponse> => ({
        header: header(),
        roles: [],
      }),
    ),
    userAdd: unary(statusOf, async ({ name }: AuthUserAddRequest) => {
      throw name === "" ? refusals.emptyUserName() : unimplemented(NO_RIGHTS);
    }),
    roleAdd: unary(statusOf, async ({ name }: AuthRoleAddRequest) => {
      throw name === "" ? refusals.emptyRoleName() : unimplemented(NO_RIGHTS);
    }),
    userGet: noUser,
    userDelete: noUser,
    userChangePassword: noUser,
    userGrantRole: noUser,
    userRevokeRole: noUser,
    roleGet: noRole,
    roleDelete: noRole,
    roleGrantPermission: noRole,
    roleRevokePermission: noRole,
  };
}
